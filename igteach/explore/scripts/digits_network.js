// The course's digit network and its Integrated Gradients, from black: no page is needed here.
igteachLive.digits = (() => {
  const STEPS = 64;
  const CONVOLUTIONS = [[1, 16, 8], [16, 16, 8], [16, 32, 4]]; // channels in and out, and the side of the picture

  function load(base64) {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const weights = Float64Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
    let at = 0;
    const take = count => weights.subarray(at, at += count);
    const convolutions = CONVOLUTIONS.map(([from, to, side]) => ({ from, to, side, w: take(9 * from * to), b: take(to) }));
    return { convolutions, w: take(5120), b: take(10) };
  }

  // Adds what each weight of a 3 by 3 convolution carries, from its input to its output, or a slope the other way.
  function carry({ from, to, side, w }, given, received, backward) {
    let k = 0;
    for (let o = 0; o < to; o++) for (let c = 0; c < from; c++) for (let i = -1; i < 2; i++) for (let j = -1; j < 2; j++) {
      const weight = w[k++], left = Math.max(0, -j), right = Math.min(side, side - j);
      for (let y = Math.max(0, -i); y < Math.min(side, side - i); y++) {
        const outer = (o * side + y) * side, inner = (c * side + y + i) * side + j;
        if (backward) for (let x = left; x < right; x++) received[inner + x] += weight * given[outer + x];
        else for (let x = left; x < right; x++) received[outer + x] += weight * given[inner + x];
      }
    }
    return received;
  }

  function layer(convolution, x) {
    const area = convolution.side ** 2;
    const start = Float64Array.from({ length: convolution.to * area }, (_, i) => convolution.b[Math.floor(i / area)]);
    return carry(convolution, x, start, false).map(z => Math.max(z, 0));
  }

  const blocks = i => (i >> 6) * 16 + ((i >> 4) & 3) * 4 + ((i >> 1) & 3); // of a pixel of 8 by 8: its place in 4 by 4

  function forward({ convolutions, w, b }, x) {
    const h1 = layer(convolutions[0], x), h2 = layer(convolutions[1], h1), pooled = new Float64Array(256);
    h2.forEach((h, i) => { pooled[blocks(i)] += h / 4; });
    const h3 = layer(convolutions[2], pooled);
    const logits = b.map((z, k) => h3.reduce((sum, h, i) => sum + w[512 * k + i] * h, z));
    const top = Math.max(...logits), raised = logits.map(z => Math.exp(z - top));
    const total = raised.reduce((sum, e) => sum + e);
    return { h1, h2, h3, p: raised.map(e => e / total) };
  }

  function gradient(network, x, target) {
    const { convolutions, w } = network, { h1, h2, h3, p } = forward(network, x);
    const slopes = p.map((q, k) => p[target] * ((k === target) - q));
    const g3 = h3.map((h, i) => h > 0 ? slopes.reduce((sum, slope, k) => sum + slope * w[512 * k + i], 0) : 0);
    const pooled = carry(convolutions[2], g3, new Float64Array(256), true);
    const g2 = h2.map((h, i) => h > 0 ? pooled[blocks(i)] / 4 : 0);
    const g1 = carry(convolutions[1], g2, new Float64Array(1024), true).map((g, i) => h1[i] > 0 ? g : 0);
    return carry(convolutions[0], g1, new Float64Array(64), true);
  }

  function shares(network, x, target) {
    const sum = new Float64Array(64);
    for (let k = 0; k < STEPS; k++) {
      gradient(network, x.map(ink => ink * (k + 0.5) / STEPS), target).forEach((slope, i) => { sum[i] += slope; });
    }
    return sum.map((slope, i) => slope * x[i] / STEPS);
  }

  return { load, probabilities: (network, x) => forward(network, x).p, shares };
})();
