"""Serve a model over HTTP: GET /health, and POST /v1/completions with {"prompt": "...", "max_tokens": 20}.

The response has the format of OpenAI's completions, so that their clients work. Two environment variables set the
folder of the model (MODEL) and the port (PORT).
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jax

from minitorch import infer
from minitorch.train import load_run

MAX_BYTES = 100_000  # of a request
MAX_TOKENS = 512


def complete(run, prompt, tokens, temperature):
    """Return the model's continuation of `prompt`."""
    if not (isinstance(prompt, str) and isinstance(tokens, int) and 1 <= tokens <= MAX_TOKENS):
        raise ValueError(f"prompt must be a string, and max_tokens a number from 1 to {MAX_TOKENS}")
    samplers = [infer.temperature(temperature)]
    key = jax.random.key(0)
    return "".join(infer.stream_text(run.model, run.tokenizer, prompt, tokens, key=key, samplers=samplers))


class Handler(BaseHTTPRequestHandler):
    """One request; the model is `self.server.run`."""

    def do_GET(self):
        self.reply(200, {"status": "ok"}) if self.path == "/health" else self.reply(404, {"error": "no such page"})

    def do_POST(self):
        if self.path != "/v1/completions":
            self.reply(404, {"error": "no such page"})
            return
        try:
            length = int(self.headers.get("Content-Length", 0))
            if not 0 < length <= MAX_BYTES:
                raise ValueError(f"a request has 1 to {MAX_BYTES} bytes")
            request = json.loads(self.rfile.read(length))
            text = complete(
                self.server.run, request["prompt"], request.get("max_tokens", 32), request.get("temperature", 0.8)
            )
            self.reply(200, {"object": "text_completion", "choices": [{"index": 0, "text": text}]})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.reply(400, {"error": f"{type(error).__name__}: {error}"})

    def reply(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler)
    server.run = load_run(os.environ.get("MODEL", "model"))
    complete(server.run, "\n", 1, 0.8)  # Compile now, so that the first request does not wait.
    print("ready", file=sys.stderr, flush=True)
    # A container is stopped by SIGTERM, which is not handled here yet.
    server.serve_forever()


if __name__ == "__main__":
    main()
