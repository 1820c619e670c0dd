"""The network as it is deployed, with merged norms, and its writers for ONNX, int8 and Core ML."""
