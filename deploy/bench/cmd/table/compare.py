"""Learns with XGBoost and with plain logistic regression what the table learns itself.

usage: compare.py FILE ROWS COLUMNS CUT THREADS OUT
FILE holds 4-byte floats: the columns one after the other, then the outcome. The first CUT rows are
learned from; for the others OUT gets the chances by XGBoost, then those by logistic regression.
Prints the seconds XGBoost took, by the clock and of processors.
"""
import sys
import time

import numpy as np
import xgboost as xgb

file, rows, columns, cut, threads, out = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
table = np.fromfile(file, dtype="<f4").reshape(columns + 1, rows)
x, y = np.ascontiguousarray(table[:columns].T), table[columns]

settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 4, "eta": 0.05, "nthread": threads, "seed": 1}
clock, processor = time.time(), time.process_time()
trees = xgb.train(settings, xgb.DMatrix(x[:cut], y[:cut], nthread=threads), 300)
print(time.time() - clock, time.process_time() - processor)
if cut == rows:
    sys.exit()
boosted = trees.predict(xgb.DMatrix(x[cut:], nthread=threads))


def logistic(a, y, b, penalty=1.0):
    mean = np.nan_to_num(np.nanmean(a, axis=0))
    a, b = (np.where(np.isnan(m), mean, m).astype(float) for m in (a, b))
    spread = a.std(axis=0)
    use = spread > 0
    a, b = ((m[:, use] - mean[use]) / spread[use] for m in (a, b))
    a, b = (np.c_[np.ones(len(m)), m] for m in (a, b))
    weight = np.zeros(a.shape[1])
    ridge = penalty * np.eye(len(weight))
    ridge[0, 0] = 0
    for _ in range(30):
        p = 1 / (1 + np.exp(-a @ weight))
        step = np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + ridge, a.T @ (y - p) - ridge @ weight)
        weight += step
        if abs(step).max() < 1e-6:
            break
    return 1 / (1 + np.exp(-b @ weight))


straight = logistic(x[:cut], y[:cut], x[cut:])
np.concatenate([boosted, straight]).astype("<f4").tofile(out)
