// What is used of Python's C API: functions of its stable ABI, found by the dynamic loader in the
// process that this library is loaded into. So it fits every version, is built without Python's
// headers, and finds null functions in a program that is no CPython.
#pragma once

#include <cstddef>

// NOLINTBEGIN(bugprone-reserved-identifier): Python's own names
#define CODEJAIL_PYTHON extern "C" __attribute__((weak, visibility("default")))

struct PyObject;
using Py_ssize_t = std::ptrdiff_t;
using PyCFunction = PyObject* (*)(PyObject* self, PyObject* argument);

struct PyMethodDef {
  const char* name;
  PyCFunction function;
  int flags;
  const char* documentation;
};
constexpr int METH_VARARGS = 0x1;
constexpr int METH_KEYWORDS = 0x2;
constexpr int METH_NOARGS = 0x4;
constexpr int METH_O = 0x8;

// As it is since Python 3.3; of the stable ABI since 3.11.
struct Py_buffer {
  void* bytes;
  PyObject* object;
  Py_ssize_t size;
  Py_ssize_t item_size;
  int is_read_only;
  int dimensions;
  char* format;
  Py_ssize_t* shape;
  Py_ssize_t* strides;
  Py_ssize_t* suboffsets;
  void* internal;
};

using AuditHook = int (*)(const char* event, PyObject* arguments, void* user_data);

CODEJAIL_PYTHON char _PyRuntime[];
CODEJAIL_PYTHON PyObject* PyExc_OSError;
CODEJAIL_PYTHON int PySys_AddAuditHook(AuditHook hook, void* user_data);
CODEJAIL_PYTHON PyObject* PySys_GetObject(const char* name);  // borrowed
CODEJAIL_PYTHON void Py_DecRef(PyObject* object);
CODEJAIL_PYTHON PyObject* Py_BuildValue(const char* format, ...);
CODEJAIL_PYTHON PyObject* PyImport_ImportModule(const char* name);
CODEJAIL_PYTHON PyObject* PyObject_Type(PyObject* object);
CODEJAIL_PYTHON PyObject* PyObject_GetAttrString(PyObject* object, const char* name);
CODEJAIL_PYTHON int PyObject_SetAttrString(PyObject* object, const char* name, PyObject* value);
CODEJAIL_PYTHON PyObject* PyObject_Call(PyObject* callable, PyObject* words, PyObject* named);
CODEJAIL_PYTHON PyObject* PyObject_CallFunctionObjArgs(PyObject* callable, ...);
CODEJAIL_PYTHON int PyObject_IsTrue(PyObject* object);
CODEJAIL_PYTHON int PyObject_GetBuffer(PyObject* object, Py_buffer* view, int flags);
CODEJAIL_PYTHON void PyBuffer_Release(Py_buffer* view);
CODEJAIL_PYTHON PyObject* PyCFunction_NewEx(PyMethodDef* method, PyObject* self, PyObject* module);
CODEJAIL_PYTHON PyObject* PyDict_GetItemString(PyObject* dictionary, const char* key);  // borrowed
CODEJAIL_PYTHON PyObject* PyUnicode_AsEncodedString(PyObject* text, const char* encoding,
                                                    const char* errors);
CODEJAIL_PYTHON const char* PyUnicode_AsUTF8AndSize(PyObject* text, Py_ssize_t* size);
CODEJAIL_PYTHON Py_ssize_t PyUnicode_GetLength(PyObject* text);
CODEJAIL_PYTHON int PyBytes_AsStringAndSize(PyObject* object, char** bytes, Py_ssize_t* size);
CODEJAIL_PYTHON PyObject* PyLong_FromSsize_t(Py_ssize_t value);
CODEJAIL_PYTHON long PyLong_AsLong(PyObject* number);
CODEJAIL_PYTHON PyObject* PyErr_SetFromErrno(PyObject* kind);
CODEJAIL_PYTHON PyObject* PyErr_Occurred();
CODEJAIL_PYTHON void PyErr_Clear();
CODEJAIL_PYTHON int PyErr_CheckSignals();
CODEJAIL_PYTHON void* PyEval_SaveThread();
CODEJAIL_PYTHON void PyEval_RestoreThread(void* state);
// NOLINTEND(bugprone-reserved-identifier)

namespace codejail {

// A reference that is given back.
class Reference {
 public:
  explicit Reference(PyObject* object) : object_(object) {}
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() {
    if (object_ != nullptr) {
      Py_DecRef(object_);
    }
  }
  [[nodiscard]] PyObject* get() const { return object_; }
  [[nodiscard]] bool valid() const { return object_ != nullptr; }
  PyObject* release() {
    PyObject* const object = object_;
    object_ = nullptr;
    return object;
  }

 private:
  PyObject* object_;
};

// While it lives, other threads of the interpreter run.
class WithoutInterpreter {
 public:
  WithoutInterpreter() : state_(PyEval_SaveThread()) {}
  WithoutInterpreter(const WithoutInterpreter&) = delete;
  WithoutInterpreter& operator=(const WithoutInterpreter&) = delete;
  ~WithoutInterpreter() { PyEval_RestoreThread(state_); }

 private:
  void* state_;
};

}  // namespace codejail
