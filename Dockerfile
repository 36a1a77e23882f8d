# syntax=docker/dockerfile:1
# The program in a container: Debian's Python, no root, and a root file system that may be read-only.
#   docker build -t bulk .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     --stop-timeout 120 -v "$PWD/june:/campaign:ro" -e AWS_REGION -e BULK_YES=1 \
#     bulk send /campaign/campaign.toml --state-dir s3://BUCKET/june --results /tmp/results.csv
# docs/running-elsewhere.md has the rest.

FROM debian:12-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY scripts/lock/run.txt scripts/lock/build.in scripts/lock/
RUN python3 -m venv /opt/bulk \
    && /opt/bulk/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r scripts/lock/run.txt
COPY pyproject.toml README.md ./
COPY bulk bulk
RUN site=$(/opt/bulk/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
    && cp -r bulk "$site/bulk" \
    && printf '%s\n' '#!/opt/bulk/bin/python' 'from bulk.__main__ import main' 'main()' > /opt/bulk/bin/bulk \
    && chmod 755 /opt/bulk/bin/bulk
RUN /opt/bulk/bin/python -m compileall -q /opt/bulk/lib

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin bulk
COPY --from=build /opt/bulk /opt/bulk
ENV PATH=/opt/bulk/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BULK_LOG_FORMAT=json
WORKDIR /campaign
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["bulk"]
CMD ["--help"]
