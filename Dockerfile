# One image for every role; `docker compose up` runs it beside a Redis of its own.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 PYTHONPATH=/app

RUN useradd --system --uid 10001 --home-dir /var/lib/jobwire --create-home jobwire

# Packages first: this layer is kept until the lock changes.
COPY requirements.lock /app/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /app/requirements.lock

COPY LICENSE /app/
COPY config /app/config
COPY monitor /app/monitor
COPY workers /app/workers
RUN python -m compileall -q /app/monitor /app/workers

USER jobwire
# The embedded store, where store.url says so, keeps its data under the working directory.
WORKDIR /var/lib/jobwire
VOLUME /var/lib/jobwire
ENV JOBWIRE_CONFIG=/etc/jobwire/jobwire.yaml

STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "monitor.cli"]
CMD ["worker"]
