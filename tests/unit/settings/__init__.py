"""The config file: values, problems, warnings, secrets, and what is generated from its models."""

from __future__ import annotations
