"""The writers of the network as it is deployed, with merged norms, for ONNX, int8 and Core ML."""
