# The image of the sidecar and the DaemonSet. It needs NET_ADMIN, and nothing more:
#   docker run --cap-add NET_ADMIN --network host -v /etc/reconciler:/etc/reconciler:ro net-reconciler
# Mount the folder of the file, not the file: a bind mount of one file never sees it replaced.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends iproute2 iptables \
 && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels net-reconciler
ENTRYPOINT ["reconciler"]
CMD ["watch"]
