"""Machinery shared by the evaluators: measurements, the stopwatch, the ONNX graph, isolated processes."""
