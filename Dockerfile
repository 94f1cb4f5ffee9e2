# The agent's image: three static programs, certificates, and nothing else.
#
#   docker build -t syncd .
#   docker run -d --name syncd --restart unless-stopped \
#     -v /var/run/docker.sock:/var/run/docker.sock \
#     -v /var/lib/syncd:/var/lib/syncd -v /etc/syncd:/etc/syncd:ro syncd

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make stage STAGE=/out VERSION=$VERSION

# hack/image.sh builds this last stage by itself where the one above cannot be
# had, from what `make stage` lays out.
FROM scratch
COPY --from=build /out/ /
ARG VERSION=dev
LABEL org.opencontainers.image.title="syncd" \
      org.opencontainers.image.description="Keeps a Docker host equal to a Git repository, and puts the last healthy revision back" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses="Apache-2.0"
# The record, the clone and the files that containers mount. The agent finds out
# where this lies on the host, so any volume or directory will do.
VOLUME /var/lib/syncd
ENTRYPOINT ["/usr/local/bin/syncd"]
CMD ["run", "--config", "/etc/syncd/syncd.yaml"]
