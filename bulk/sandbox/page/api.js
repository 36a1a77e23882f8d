// The control API. The token of a run stands behind the # of the address, which no browser sends anywhere.

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const headers = token === null ? {} : { Authorization: `Bearer ${token}` };

export async function ask(path, settings = {}) {
  const answer = await fetch(`/_sandbox${path}`, { headers, ...settings });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

export const reset = () => ask("/reset", { method: "POST" });

// Calls `told` with each status and `linked` with whether the line is open, for as long as the page is.
export async function watch(told, linked) {
  for (;;) {
    try {
      await follow(told, linked);
    } catch {
      // the sandbox has ended, or its token is another: said by `linked`
    }
    linked(false);
    await new Promise((go) => setTimeout(go, 1500));
  }
}

async function follow(told, linked) {
  const answer = await fetch("/_sandbox/events", { headers });
  if (!answer.ok) return;
  linked(true);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (text + part.value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) told(JSON.parse(data.slice(6)));
    }
  }
}
