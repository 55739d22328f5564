# docker build -t quietlight .
# docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD:/pictures" quietlight denoise IMG_0042.CR3 --out clean
FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY models/ATTRIBUTION.md models/
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.12-slim
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /wheel /tmp/wheel
RUN pip install --no-cache-dir -c /tmp/constraints.txt "$(echo /tmp/wheel/*.whl)[fast,io]" \
 && rm -r /tmp/wheel /tmp/constraints.txt \
 && useradd --create-home --uid 10001 quietlight
USER quietlight
# Nothing is fetched when it runs; what it may keep between runs lies where any user can write.
ENV QUIETLIGHT_CACHE=/tmp/quietlight-cache
RUN quietlight doctor
WORKDIR /pictures
ENTRYPOINT ["quietlight"]
CMD ["--help"]
