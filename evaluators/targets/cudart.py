"""The CUDA runtime without torch: a stream, events, memory and a captured graph, through NVIDIA's cuda-python.

A worker that measures TensorRT needs this and numpy, so that it runs under a Jetson's or a container's own Python.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from cuda.bindings import runtime as cudart
except ImportError:  # cuda-python before 12.6
    from cuda import cudart


class CudaError(RuntimeError):
    """A call of the CUDA runtime failed."""


def call(function: Callable[..., tuple[Any, ...]], *arguments: Any) -> Any:
    """The value of a CUDA call.

    Raises:
        CudaError: it returned an error; names the call and the error.
    """
    error, *values = function(*arguments)
    if error != cudart.cudaError_t.cudaSuccess:
        raise CudaError(f"{function.__name__}: {error.name}")
    return values[0] if values else None


def start() -> None:
    """Takes the first visible GPU, its CPU thread spinning while it waits: a sleeping one wakes late."""
    cudart.cudaSetDeviceFlags(cudart.cudaDeviceScheduleSpin)  # an error only says that a network was run before
    call(cudart.cudaSetDevice, 0)


class Event:
    """A mark in a stream."""

    def __init__(self, stream: "Stream") -> None:
        self.stream, self.handle = stream, call(cudart.cudaEventCreate)

    def record(self) -> None:
        call(cudart.cudaEventRecord, self.handle, self.stream.handle)

    def synchronize(self) -> None:
        call(cudart.cudaEventSynchronize, self.handle)

    def milliseconds_since(self, earlier: Any) -> float:
        return float(call(cudart.cudaEventElapsedTime, earlier.handle, self.handle))


class Stream:
    """A stream of work that is not the default one: run-times synchronise the whole device there."""

    def __init__(self) -> None:
        self.handle = call(cudart.cudaStreamCreateWithFlags, cudart.cudaStreamNonBlocking)

    def synchronize(self) -> None:
        call(cudart.cudaStreamSynchronize, self.handle)

    def captured(self, launch: Callable[[], object]) -> Callable[[], object]:
        """A function that replays what one call of `launch` puts into the stream.

        Raises:
            CudaError: something in it cannot be captured; `launch` itself still works.
        """
        call(cudart.cudaStreamBeginCapture, self.handle, cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
        try:
            launch()
        finally:
            graph = call(cudart.cudaStreamEndCapture, self.handle)
        instance = call(cudart.cudaGraphInstantiate, graph, 0)
        return lambda: call(cudart.cudaGraphLaunch, instance, self.handle)


class Memory:
    """Device memory that holds one array."""

    def __init__(self, array: "np.ndarray[Any, Any]") -> None:
        self.array = np.ascontiguousarray(array)
        self.address = int(call(cudart.cudaMalloc, self.array.nbytes))

    def upload(self) -> None:
        """From the host's array."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        call(cudart.cudaMemcpy, self.address, self.array.ctypes.data, self.array.nbytes, kind)

    def download(self) -> "np.ndarray[Any, Any]":
        """Into the host's array."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call(cudart.cudaMemcpy, self.array.ctypes.data, self.address, self.array.nbytes, kind)
        return self.array

    def free(self) -> None:
        """Gives it back."""
        call(cudart.cudaFree, self.address)
