// Warns before the session ends. Asking how long is left prolongs nothing; the button does, by a post with the token.
"use strict";
const WARN_SECONDS = 120, ASK_SECONDS = 30, ASK_SOON_SECONDS = 5;
const warning = document.getElementById("warning"), left = document.getElementById("left");
const token = document.querySelector("meta[name=csrf-token]").content;
let endsAt = Infinity, next;

async function look() {
  clearTimeout(next);
  try {
    const { seconds } = await (await fetch("/session/left")).json();
    if (seconds <= 0) return leave();
    endsAt = performance.now() + seconds * 1000;
    show();
    next = setTimeout(look, 1000 * (warning.hidden ? ASK_SECONDS : ASK_SOON_SECONDS));  // another tab may prolong it
  } catch {
    next = setTimeout(look, 1000 * ASK_SECONDS);  // no connection: that is no reason to say anything
  }
}

function leave() {
  location.assign(`/login?timeout=1&next=${encodeURIComponent(location.pathname)}`);
}

function show() {
  const seconds = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
  warning.hidden = seconds > WARN_SECONDS;
  left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

document.getElementById("stay").addEventListener("click", async () => {
  await fetch("/session/stay", { method: "POST", headers: { "X-CSRF-Token": token } }).catch(() => {});
  await look();
});
document.addEventListener("visibilitychange", () => document.hidden || look());  // a laptop may have slept
setInterval(() => warning.hidden || show(), 1000);
look();
