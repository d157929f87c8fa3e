/** A small chart: the probability of one hazard over the last two minutes, and its threshold as a dashed line. */

const SPAN_S = 120;
const GAP_S = 2;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ line: [number, number][], threshold: number, proposed?: number }} what `line`: seconds ago and probability
 */
export function draw(canvas, { line, threshold, proposed }) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  }
  const pen = canvas.getContext("2d");
  if (!pen || !width) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const colour = colours(canvas);
  const x = (/** @type {number} */ ago) => width * (1 - ago / SPAN_S);
  const y = (/** @type {number} */ p) => 2 + (height - 4) * (1 - p);
  grid(pen, width, height, colour.grid, x);
  curve(pen, line, x, y, colour, height);
  level(pen, width, y(threshold), colour.threshold, [5, 4]);
  if (proposed !== undefined) level(pen, width, y(proposed), colour.proposed, [2, 3]);
}

/** @param {HTMLCanvasElement} canvas */
function colours(canvas) {
  const style = getComputedStyle(canvas);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return { line: of("--chart-line"), fill: of("--chart-fill"), grid: of("--chart-grid"), threshold: of("--chart-threshold"), proposed: of("--accent") };
}

/** @param {CanvasRenderingContext2D} pen @param {number} width @param {number} height @param {string} colour @param {(ago: number) => number} x */
function grid(pen, width, height, colour, x) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.setLineDash([]);
  pen.beginPath();
  for (const ago of [30, 60, 90]) {
    pen.moveTo(Math.round(x(ago)) + 0.5, 0);
    pen.lineTo(Math.round(x(ago)) + 0.5, height);
  }
  pen.moveTo(0, height - 1.5);
  pen.lineTo(width, height - 1.5);
  pen.stroke();
}

/**
 * Where pictures were missing the line is broken.
 * @param {CanvasRenderingContext2D} pen @param {[number, number][]} line @param {(ago: number) => number} x
 * @param {(p: number) => number} y @param {{ line: string, fill: string }} colour @param {number} height
 */
function curve(pen, line, x, y, colour, height) {
  for (const piece of pieces(line)) {
    pen.beginPath();
    piece.forEach(([ago, p]) => pen.lineTo(x(ago), y(p)));
    pen.strokeStyle = colour.line;
    pen.lineWidth = 1.75;
    pen.lineJoin = "round";
    pen.setLineDash([]);
    pen.stroke();
    pen.lineTo(x(piece[piece.length - 1][0]), height);
    pen.lineTo(x(piece[0][0]), height);
    pen.fillStyle = colour.fill;
    pen.fill();
  }
}

/** @param {[number, number][]} line */
function pieces(line) {
  /** @type {[number, number][][]} */
  const found = [];
  line.forEach((point, index) => {
    if (index === 0 || line[index - 1][0] - point[0] > GAP_S) found.push([]);
    found[found.length - 1].push(point);
  });
  return found;
}

/** @param {CanvasRenderingContext2D} pen @param {number} width @param {number} at @param {string} colour @param {number[]} dash */
function level(pen, width, at, colour, dash) {
  pen.beginPath();
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.moveTo(0, at);
  pen.lineTo(width, at);
  pen.stroke();
}
