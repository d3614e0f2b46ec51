"""The section `telemetry` of the config file: where traces go."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.settings.section import Section
from monitor.targets.address import check_url
from monitor.telemetry import MISSING, installed
from monitor.values import Secret


class TelemetrySettings(Section):
    """Where traces go; nothing is sent without `otlp`. Needs the extra `otel` (docs/running/deploying.md)."""

    otlp: Annotated[str, AfterValidator(check_url)] | None = Field(
        default=None,
        repr=False,
        description="a collector that takes OTLP over HTTP, such as http://collector:4318; /v1/traces is added",
    )
    headers: dict[str, Secret] = Field(
        default_factory=dict, description="further headers for the collector, an API key say"
    )

    @property
    def given(self) -> dict[str, str]:
        """The headers as they are sent."""
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.headers and self.otlp is None:
            raise ValueError("headers without otlp: add the address of the collector")
        if self.otlp is not None and not installed():
            raise ValueError(f"otlp: {MISSING}")
        return self
