// Functions of two features with their gradients, and the shares along a path of straight legs.
igteachLive.surfaces = (() => {
  const PIECES = 2000; // of a leg; each counts by the gradient at its middle
  const surfaces = {
    product: { value: (a, b) => a * b + b, gradient: (a, b) => [b, a + 1] },
    alarm: { value: (a, b) => 1 - Math.max(0, 1 - a - b), gradient: (a, b) => (a + b < 1 ? [1, 1] : [0, 0]) },
    smaller: { value: Math.min, gradient: (a, b) => (a === b ? [0.5, 0.5] : a < b ? [1, 0] : [0, 1]) },
  };

  // Of each feature slope times velocity, at alphas from 0 to 1, and its mean, which is the share.
  function walk(name, stops) {
    const legs = stops.length - 1, rates = [[], []];
    for (let k = 0; k < legs * PIECES; k++) {
      const [start, end] = stops.slice(Math.floor(k / PIECES)), alpha = (k % PIECES + 0.5) / PIECES;
      const velocity = [0, 1].map((i) => end[i] - start[i]);
      const slopes = surfaces[name].gradient(...[0, 1].map((i) => start[i] + alpha * velocity[i]));
      slopes.forEach((slope, i) => rates[i].push(legs * slope * velocity[i]));
    }
    return { rates, shares: rates.map((rate) => rate.reduce((sum, each) => sum + each, 0) / rate.length) };
  }

  return { value: (name, [a, b]) => surfaces[name].value(a, b), walk };
})();
