// The viewer: two pictures under a curtain, what lies between them, and the whole picture to choose a part of.
// The server sends only pictures that changed; the rest stays as it is, and so does the curtain.
const $ = (selector) => element.querySelector(selector);
const frame = $('.frame'), before = $('.before'), after = $('.after'), canvas = $('canvas');
let gain = 4;

function drawRemoved() {
  if (frame.dataset.mode !== 'removed' || !before.naturalWidth || !after.naturalWidth) return;
  const [width, height] = [after.naturalWidth, after.naturalHeight];
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.drawImage(before, 0, 0);
  const one = pen.getImageData(0, 0, width, height);
  pen.drawImage(after, 0, 0);
  const other = pen.getImageData(0, 0, width, height).data, data = one.data;
  for (let i = 0; i < data.length; i += 4)
    for (let c = 0; c < 3; c++) data[i + c] = 128 + gain * (data[i + c] - other[i + c]);
  pen.putImageData(one, 0, 0);
}

function show() {
  const value = props.value || {};
  if (value.size) { frame.style.setProperty('--w', value.size[0] + 'px'); frame.style.setProperty('--h', value.size[1] + 'px'); }
  if (value.gain) { gain = value.gain; $('.scale').textContent = ''; }
  if (value.before) before.src = value.before;
  if (value.after) after.src = value.after;
  if (value.overview) $('.whole img').src = value.overview;
  if (value.place) {
    const [left, top, width, height] = value.place.map((share) => 100 * share + '%'), box = $('.whole i');
    Object.assign(box.style, { left, top, width, height });
    $('.finder').classList.toggle('all', value.place[2] > 0.999 && value.place[3] > 0.999);
  }
  setMode(frame.dataset.mode);
}

function setMode(mode) {
  frame.dataset.mode = mode;
  for (const button of element.querySelectorAll('[data-mode]'))
    if (button !== frame) button.setAttribute('aria-pressed', String(button.dataset.mode === mode));
  $('.scale').textContent = mode === 'removed' ? `${gain} times, around gray` : '100%';
  drawRemoved();
}

before.onload = after.onload = drawRemoved;
$('input').addEventListener('input', (event) => frame.style.setProperty('--at', event.target.value + '%'));
element.addEventListener('click', (event) => {
  const mode = event.target.closest('button[data-mode]'), whole = event.target.closest('.whole');
  if (mode) setMode(mode.dataset.mode);
  if (whole) {
    const box = whole.getBoundingClientRect();
    // A keyboard's click has no place: it looks at the middle.
    const at = event.detail ? [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width] : [0.5, 0.5];
    trigger('click', { row: at[0], column: at[1] });
  }
});
watch('value', show);
show();
