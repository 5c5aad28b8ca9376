"""Metrics that ask a classifier: can real rows be told from generated ones, and do generated ones
predict what real ones do?

The original asks a recurrent network; here a random forest and a logistic regression answer, which
need no framework, no graphics card and no tuning, and give the same number for the same rows
everywhere. Scores are therefore not those of the paper.
"""

from __future__ import annotations

import numpy as np

from harness.quality.metrics import MeasuredMetric, Values

FOLDS, TREES, SEED = 5, 100, 0
#: Of the prediction: the hours that it sees.
SEEN_HOURS = 2


def accuracy(real: Values, generated: Values) -> MeasuredMetric:
    """Return how often a random forest tells real rows from generated ones: cross-validated, as
    many rows of each. 0.5 is best.

    Rows are flattened, with each channel's mean and standard deviation over the hours beside them.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    count = min(len(real), len(generated))
    if count < FOLDS:
        reason = f"{count} rows of each kind are fewer than the {FOLDS} folds of cross-validation"
        return MeasuredMetric(None, reason)
    rows = np.concatenate([_features(real[:count]), _features(generated[:count])])
    kinds = np.repeat([0, 1], count)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    forest = RandomForestClassifier(TREES, random_state=SEED)
    scores = cross_val_score(forest, rows, kinds, cv=folds)
    return MeasuredMetric(float(np.mean(scores)))


def _features(rows: Values) -> Values:
    """Return each row flattened, with each channel's mean and deviation over the hours."""
    return np.concatenate(
        [rows.reshape(len(rows), -1), rows.mean(axis=1), rows.std(axis=1)], axis=1
    )


def transfer(train: Values, test: Values, discrete: int) -> MeasuredMetric:
    """Return the AUROC on `test` of a logistic regression fitted on `train`.

    It predicts whether a discrete channel, the first that varies in `test`, is on in an hour, from
    the continuous channels of the two hours before: what links the two streams. Train on generated
    rows and test on real ones for TSTR, on real ones for its baseline. Training rows in which the
    channel never changes say nothing: all test rows rank alike, 0.5.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    continuous = train.shape[2] - discrete
    if not discrete or not continuous or train.shape[1] <= SEEN_HOURS:
        reason = (
            f"the task needs a discrete channel, a continuous one and more than {SEEN_HOURS} hours"
        )
        return MeasuredMetric(None, reason)
    varying = [
        channel
        for channel in range(continuous, test.shape[2])
        if np.ptp(test[:, SEEN_HOURS:, channel]) > 0.0
    ]
    if not varying:
        return MeasuredMetric(None, "no discrete channel varies in the test rows")
    train_inputs, train_answers = _task(train, continuous, varying[0])
    test_inputs, test_answers = _task(test, continuous, varying[0])
    if len(np.unique(train_answers)) < 2:
        return MeasuredMetric(0.5)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(train_inputs, train_answers)
    scores = model.predict_proba(test_inputs)[:, 1]
    return MeasuredMetric(float(roc_auc_score(test_answers, scores)))


def _task(rows: Values, continuous: int, channel: int) -> tuple[Values, Values]:
    """Return examples [M, 2 * continuous] and answers [M], one for each hour that has two before
    it."""
    seen = np.concatenate(
        [rows[:, hour : hour - SEEN_HOURS, :continuous] for hour in range(SEEN_HOURS)], axis=2
    )
    answers = np.asarray(rows[:, SEEN_HOURS:, channel].ravel() > 0.5, np.float64)
    return seen.reshape(-1, seen.shape[2]), answers
