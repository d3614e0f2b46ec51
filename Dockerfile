# One image for every role; `docker compose up` runs it beside a Redis of its own.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 PYTHONPATH=/app

RUN groupadd --system --gid 10001 jobwire \
 && useradd --system --uid 10001 --gid jobwire --home-dir /var/lib/jobwire --create-home jobwire

# Packages first: this layer is kept until the lock changes. requirements-extras.lock has Apprise and OpenTelemetry too.
ARG LOCK=requirements.lock
COPY requirements.lock requirements-extras.lock /app/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r "/app/$LOCK"

COPY LICENSE /app/
COPY config /app/config
COPY monitor /app/monitor
COPY workers /app/workers
RUN python -m compileall -q /app/monitor /app/workers

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
# The embedded store, where store.url says so, keeps its data under the working directory.
WORKDIR /var/lib/jobwire
VOLUME /var/lib/jobwire
ENV JOBWIRE_CONFIG=/etc/jobwire/jobwire.yaml

STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "monitor.cli"]
CMD ["worker"]
