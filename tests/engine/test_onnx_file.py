"""A graph and its weights become a model that the onnx package reads."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from quietlight.engine.onnx_file import filled


def test_a_graph_is_filled_and_described():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 300]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", ends[:1], ends[1:])
    empty = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    weights = np.arange(300, dtype=np.float32)[None]
    model = onnx.load_from_string(
        filled(empty, {"w": weights, "counter": np.array(3)}, {"name": "some", "about": "a " * 100 + "é"})
    )
    onnx.checker.check_model(model)
    assert [tensor.name for tensor in model.graph.initializer] == ["w"]
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), weights)
    assert {p.key: p.value for p in model.metadata_props} == {"name": "some", "about": "a " * 100 + "é"}
    assert [node.op_type for node in model.graph.node] == ["Add"]
