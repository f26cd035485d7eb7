# syntax=docker/dockerfile:1
# Two stages: the first builds wheels, the second holds nothing but what runs.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY service service
COPY schemas schemas
RUN python -m venv /opt/winnow \
 && /opt/winnow/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/winnow --create-home winnow
COPY --from=build /opt/winnow /opt/winnow
ENV PATH=/opt/winnow/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WINNOW_HOST=0.0.0.0 \
    WINNOW_PORT=8000 \
    WINNOW_DATABASE_URL=sqlite:////var/lib/winnow/winnow.db
USER winnow
WORKDIR /var/lib/winnow
VOLUME /var/lib/winnow
EXPOSE 8000
# The service refuses to start on 0.0.0.0 without WINNOW_API_KEY.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['WINNOW_PORT']}/healthz\", timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["winnow", "serve"]
