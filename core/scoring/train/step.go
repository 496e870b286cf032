package train

// propose finds the full step of one column.
func (b *booster) propose(j int, step []float64) {
	c, from, shape := &b.m.columns[j], b.off[j], b.fit.shapes[j]
	switch {
	case c.inner > 0:
		b.grid(from, c, shape, step)
	case c.ordered:
		b.smooth(from, c, shape, step)
	default:
		b.flat(from, shape, step)
	}
}

// flat finds the step of bins that have nothing to do with each other.
func (b *booster) flat(from int, shape, step []float64) {
	total := len(b.grad)
	for i := range step {
		h := float64(b.gram[(from+i)*total+from+i])
		step[i] = (b.grad[from+i] - b.set.keep*shape[i]) / (h + b.set.ridge + b.set.keep)
	}
}

// grid finds the step of the cells of a pair.
func (b *booster) grid(from int, c *coded, shape, step []float64) {
	total := len(b.grad)
	slope, curve := b.work[:len(step)], b.work[len(step):2*len(step)]
	for i := range step {
		slope[i] = b.grad[from+i] - b.set.keep*shape[i]
		curve[i] = float64(b.gram[(from+i)*total+from+i])
	}
	q := quarters{a: len(step) / c.inner, b: c.inner, g: slope, h: curve, step: step, ridge: b.set.ridge, least: 1}
	q.find(c.across, c.along)
}

// smooth finds the step of ordered bins: of each the second-order one, held to its neighbours by
// a penalty on differences. Bin 0, missing, and the codes at both ends stand alone.
func (b *booster) smooth(from int, c *coded, shape, step []float64) {
	total := len(b.grad)
	first, end := c.low, c.bins-c.high
	b.flat(from, shape[:1+first], step[:1+first])
	b.flat(from+end, shape[end:], step[end:])
	from, shape, step = from+first, shape[first:end], step[first:end]
	n := len(step) - 1
	if n < 1 {
		return
	}
	diag, over := b.work[:n], b.work[n:2*n]
	sum := 0.0
	for i := range n {
		at := from + 1 + i
		diag[i] = float64(b.gram[at*total+at])
		sum += diag[i]
	}
	// The finer the bins the less neighbours differ, and the less each says of that.
	fine := float64(n) / 32
	hold := b.set.smooth * fine * fine * sum / float64(n)
	for i := range n {
		diag[i] += b.set.ridge + b.set.keep
		if i > 0 {
			diag[i] += hold
		}
		if i < n-1 {
			diag[i] += hold
		}
	}
	// Thomas' algorithm for three diagonals.
	right := step[1:]
	for i := range n {
		right[i] = b.grad[from+1+i] - b.set.keep*shape[1+i]
	}
	for i := range n {
		d := diag[i]
		if i > 0 {
			d += hold * over[i-1]
			right[i] += hold * right[i-1]
		}
		over[i] = -hold / d
		right[i] /= d
	}
	for i := n - 2; i >= 0; i-- {
		right[i] -= over[i] * right[i+1]
	}
}

// hold changes a step so that the shape it leads to, on top of start, never goes the wrong way:
// neighbours that would are pooled by their second derivatives. The codes at both ends are free.
func (b *booster) hold(from int, c *coded, shape, step []float64) {
	total := len(b.grad)
	first, end, start, way := c.low, c.bins-c.high, c.start, c.monotone
	from, shape, step = from+first, shape[first:end], step[first:end]
	if start != nil {
		start = start[first:end]
	}
	n := len(step) - 1
	if n < 2 {
		return
	}
	values, weights := make([]float64, n), make([]float64, n)
	for i := range n {
		at := from + 1 + i
		values[i] = shape[1+i] + step[1+i]
		if start != nil {
			values[i] += start[1+i]
		}
		weights[i] = float64(b.gram[at*total+at]) + 1e-9
	}
	pool(values, weights, way)
	for i := range n {
		step[1+i] = values[i] - shape[1+i]
		if start != nil {
			step[1+i] -= start[1+i]
		}
	}
}

// pool makes values rise (way > 0) or fall by pooling neighbours that do not, by weight.
func pool(values, weights []float64, way int8) {
	type block struct {
		sum, weight float64
		n           int
	}
	var blocks []block
	for i, v := range values {
		blocks = append(blocks, block{v * weights[i], weights[i], 1})
		for len(blocks) > 1 {
			last, prev := blocks[len(blocks)-1], blocks[len(blocks)-2]
			if (last.sum/last.weight-prev.sum/prev.weight)*float64(way) >= 0 {
				break
			}
			blocks = blocks[:len(blocks)-1]
			blocks[len(blocks)-1] = block{prev.sum + last.sum, prev.weight + last.weight, prev.n + last.n}
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			values[i] = b.sum / b.weight
			i++
		}
	}
}
