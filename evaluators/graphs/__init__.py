"""The network as it is deployed, norms merged, and its writers for ONNX, int8 and Core ML."""
