# One image, one process: the dialer with its embedded database, analytics and simulated trunk.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    DIALER_HOME=/data \
    DIALER_HOST=0.0.0.0

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --create-home --home-dir /data dialer
USER dialer
VOLUME /data
EXPOSE 8080
# SIGTERM drains: pacing stops, calls in progress end, the outbox is flushed.
STOPSIGNAL SIGTERM
CMD ["dialer", "up"]
