"""Tab that evaluates the served model anew and compares with what is stored."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.artifacts.model_card import SERVED_FILE, is_served
from core.datasets.samples import Samples
from core.errors import FacetError
from core.evaluation.metrics import summary_metrics
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation
from core.evaluation.tables import metrics_table
from pages.shared.errors import show_error
from pages.shared.evaluation.components import show_table
from pages.shared.evaluation.origin import show_not_included
from pages.shared.evaluation.test_images import samples_on_demand

_RERUN_KEY = "evaluation_rerun"


def show_rerun(model: StoredEvaluation) -> None:
    st.markdown(
        "Runs the served model on the images again and compares with what is stored. Small differences "
        "come from the processor's arithmetic; large ones mean that model and figures do not belong together."
    )
    if SERVED_FILE in model.card.excluded_files and not is_served(model.folder, model.card):
        show_not_included(model.card)
        return
    samples = samples_on_demand(model, "rerun")
    if samples is None:
        return
    if st.button("Re-run the evaluation", key="rerun_start", icon=":material/replay:"):
        _rerun(model, samples)
    fresh = rerun_of(model)
    if fresh is not None:
        _show_comparison(model, fresh)


def rerun_of(model: StoredEvaluation) -> Predictions | None:
    """The answers of the latest re-run, if it was of ``model``."""
    folder, split, predictions = st.session_state.get(_RERUN_KEY, (None, None, None))
    return predictions if (folder, split) == (str(model.folder), model.split) else None


def _rerun(model: StoredEvaluation, samples: Samples) -> None:
    # Only here: the runtime of the served models is not needed to look at stored figures.
    from core.evaluation.predict import evaluate_samples

    text = f"Evaluating {len(samples):,} images …"
    bar = st.progress(0.0, text)

    def progress(share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text)

    try:
        predictions = evaluate_samples(model.folder, samples, progress)
    except FacetError as error:
        show_error(error)
        return
    finally:
        bar.empty()
    # Only the latest is kept, so a session's memory does not grow.
    st.session_state[_RERUN_KEY] = (str(model.folder), model.split, predictions)
    # The tab of mistakes comes before this one and is about these answers from now on.
    st.rerun()


def _show_comparison(model: StoredEvaluation, fresh: Predictions) -> None:
    common = np.intersect1d(model.predictions.ids, fresh.ids)
    stored = model.predictions
    if len(common):
        stored, fresh = (one.take(np.isin(one.ids, common)) for one in (stored, fresh))
    if len(common) < len(model.predictions):
        st.warning(
            f"Only {len(common):,} of the {len(model.predictions):,} stored answers are about images of "
            "the same name in this copy of the data set" + ("; they are compared." if len(common) else ".")
        )
    st.success(f"Done: {len(fresh):,} images.", icon=":material/check:")
    table = metrics_table({"stored": summary_metrics(stored), "re-run": summary_metrics(fresh)})
    table["difference"] = table["re-run"] - table["stored"]
    show_table(table, f"{model.name}_{model.split}_rerun.csv", "rerun_csv")
