# The service as one image, from the one lock (which has the development tools in it, too).
# Built and run by infra/compose.yaml; it has not been built where this project is tested (no Docker there).
FROM python:3.11-slim AS built
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY agent agent
COPY evals evals
COPY infra infra
COPY prompts prompts
COPY retrieval retrieval
COPY tools tools
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 usher && mkdir /var/lib/usher && chown usher /var/lib/usher
COPY --from=built /venv /venv
ENV PATH=/venv/bin:$PATH USHER_HOME=/var/lib/usher USHER_HOST=0.0.0.0
USER usher
WORKDIR /home/usher
VOLUME /var/lib/usher
EXPOSE 8000
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["usher", "serve"]
