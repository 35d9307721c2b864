// Entry of the big screen's script: it takes pictures as they come and hands each part to those who show it.
import { showBoard } from "./screen-board.js";
import { showClocks } from "./screen-clock.js";
import { showCurve } from "./screen-curve.js";
import { followStream } from "./screen-stream.js";

const body = document.body;
const words = JSON.parse(body.dataset.words);
const first = JSON.parse(body.dataset.picture);

const parts = [showBoard(words), showClocks(words), showCurve(words)];
let newest = 0;

// The stream begins with the last picture that anybody watched, and that may have been an hour ago.
function show(picture) {
  if (picture.now < newest) return;
  newest = picture.now;
  parts.forEach((part) => part(picture));
}

show(first);
followStream(body.dataset.events, words.line, show);
