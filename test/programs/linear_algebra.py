# numpy, with the threads of its linear algebra.
import numpy

a = numpy.arange(360000, dtype=float).reshape(600, 600) / 360000
print(round(float((a @ a.T).trace()), 3))
print(round(float(numpy.linalg.norm(numpy.linalg.solve(a + numpy.eye(600), a[0]))), 3))
print(round(float(numpy.linalg.svd(a[:50, :50], compute_uv=False)[0]), 3))
numpy.save('tmp/a.npy', a)
shared = numpy.load('tmp/a.npy', mmap_mode='r+')
shared[0, 0] = 5
shared.flush()
print(float(numpy.load('tmp/a.npy')[0, 0]), numpy.random.default_rng(1).integers(0, 9, 3).tolist())
