// The search from a file, without a server: a browser starts no worker there, so the worker's script runs in a hidden frame.
"use strict";
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      const script = inside.document.createElement("script");
      this.loaded = new Promise(resolve => { script.onload = resolve; });
      this.inside = inside;
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
      script.src = url;
      inside.document.head.append(script);
    }
    postMessage(data) {
      this.loaded.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
