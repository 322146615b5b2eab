// A CUDA driver library without a GPU: numba-cuda and cuda-python take it for
// libcuda.so.1. It answers for one device and hands each launch to the test. Only the
// functions that they call are here; they are told that any other does not exist.
#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>

namespace {

enum Result { kSuccess = 0, kInvalidValue = 1, kNotFound = 500, kTooLarge = 720 };
constexpr int kVersion = 13000;  // as driver 580
constexpr int kWarp = 32, kMostThreads = 1024, kSharedBytes = 48 * 1024;
constexpr int kRegisters = 65536;        // of a multiprocessor
constexpr int kRegistersOfThread = 128;  // the most that our kernels may have
constexpr int kCooperative = 2;          // CU_LAUNCH_ATTRIBUTE_COOPERATIVE

struct Device {
  int major = 9, minor = 0, multiprocessors = 132;
} device;

void* const kContext = &device;
void* current = nullptr;

struct Library {
  std::string kernel;  // the one that was asked for
};
std::deque<Library> libraries;  // whose addresses are the handles

}  // namespace

extern "C" {

struct Launch {  // what a test is told
  const char* kernel;
  unsigned blocks, threads, shared_bytes;
  int is_cooperative;
  void* stream;
  void** arguments;  // where each lies
};

static int (*on_launch)(const Launch*) = nullptr;

void recorder_set(int major, int minor, int multiprocessors,
                  int (*handler)(const Launch*)) {
  device = {major, minor, multiprocessors};
  on_launch = handler;
}

int cuInit(unsigned) { return kSuccess; }
int cuDriverGetVersion(int* version) { return *version = kVersion, kSuccess; }
int cuDeviceGetCount(int* count) { return *count = 1, kSuccess; }
int cuDeviceGet(int* handle, int) { return *handle = 0, kSuccess; }
int cuDeviceGetName(char* name, int length, int) {
  strncpy(name, "recorder (no hardware)", length);
  return kSuccess;
}
int cuDeviceGetUuid_v2(char* uuid, int) { return memset(uuid, 0, 16), kSuccess; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {  // CUdevice_attribute
    case 1: *value = kMostThreads; break;
    case 8: *value = kSharedBytes; break;
    case 10: *value = kWarp; break;
    case 12: *value = kRegisters; break;
    case 16: *value = device.multiprocessors; break;
    case 75: *value = device.major; break;
    case 76: *value = device.minor; break;
    case 95: *value = 1; break;  // can launch cooperatively
    default: *value = 0;
  }
  return kSuccess;
}

int cuCtxGetCurrent(void** context) { return *context = current, kSuccess; }
int cuCtxSetCurrent(void* context) { return current = context, kSuccess; }
int cuCtxPushCurrent_v2(void* context) { return current = context, kSuccess; }
int cuCtxPopCurrent_v2(void** context) { return *context = current, kSuccess; }
int cuCtxGetDevice(int* handle) { return *handle = 0, kSuccess; }
int cuDevicePrimaryCtxRetain(void** context, int) {
  return *context = kContext, kSuccess;
}
int cuDevicePrimaryCtxRelease_v2(int) { return kSuccess; }
int cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) {
  return *flags = 0, *active = current != nullptr, kSuccess;
}
int cuCtxSynchronize() { return kSuccess; }
int cuStreamGetCtx(void*, void** context) { return *context = kContext, kSuccess; }
int cuStreamGetCtx_v2(void*, void** context, void** green) {
  if (green) *green = nullptr;
  return *context = kContext, kSuccess;
}
int cuStreamSynchronize(void*) { return kSuccess; }
int cuMemGetInfo_v2(size_t* free, size_t* total) {
  return *free = *total = size_t(1) << 37, kSuccess;
}
int cuPointerGetAttribute(void* data, int attribute, void* pointer) {
  constexpr int kMemoryType = 2, kDevicePointer = 3, kOnDevice = 2;
  if (attribute == kMemoryType) *static_cast<int*>(data) = kOnDevice;
  if (attribute == kDevicePointer) *static_cast<void**>(data) = pointer;
  return kSuccess;
}

int cuLibraryLoadData(void** library, const void*, ...) {
  return *library = &libraries.emplace_back(), kSuccess;
}
int cuLibraryUnload(void*) { return kSuccess; }
int cuLibraryGetKernel(void** kernel, void* library, const char* name) {
  static_cast<Library*>(library)->kernel = name;
  return *kernel = library, kSuccess;
}
int cuLibraryGetModule(void** module, void* library) {
  return *module = library, kSuccess;
}
int cuKernelGetFunction(void** function, void* kernel) {
  return *function = kernel, kSuccess;
}
int cuKernelGetLibrary(void** library, void* kernel) {
  return *library = kernel, kSuccess;
}
int cuKernelGetAttribute(int* value, int, void*, int) { return *value = 0, kSuccess; }
int cuFuncGetAttribute(int* value, int, void*) { return *value = 0, kSuccess; }

// Blocks of a kernel that one multiprocessor holds, by threads and registers.
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int threads,
                                                size_t) {
  return *blocks = kRegisters / (kRegistersOfThread * threads), kSuccess;
}

static int launch(void* kernel, unsigned blocks, unsigned threads, unsigned bytes,
                  int is_cooperative, void* stream, void** arguments) {
  int each = 0;
  cuOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, bytes);
  if (threads > kMostThreads || bytes > kSharedBytes) return kInvalidValue;
  if (is_cooperative && blocks > unsigned(each * device.multiprocessors))
    return kTooLarge;
  auto name = static_cast<Library*>(kernel)->kernel.c_str();
  Launch told{name, blocks, threads, bytes, is_cooperative, stream, arguments};
  return on_launch(&told);
}

int cuLaunchKernel(void* function, unsigned x, unsigned, unsigned, unsigned threads,
                   unsigned, unsigned, unsigned bytes, void* stream, void** arguments,
                   void**) {
  return launch(function, x, threads, bytes, 0, stream, arguments);
}

struct Attribute {
  int id, padding;
  union {
    int flag;
    char bytes[64];
  } value;
};
struct Config {
  unsigned grid[3], block[3], shared_bytes;
  void* stream;
  const Attribute* attributes;
  unsigned count;
};

int cuLaunchKernelEx(const Config* config, void* function, void** arguments, void**) {
  int is_cooperative = 0;
  for (unsigned i = 0; i < config->count; i++)
    if (config->attributes[i].id == kCooperative)
      is_cooperative = config->attributes[i].value.flag;
  return launch(function, config->grid[0], config->block[0], config->shared_bytes,
                is_cooperative, config->stream, arguments);
}

int cuGetErrorName(int error, const char** text) {
  const char* other = "an error of the test's driver";
  *text = error == kTooLarge ? "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE" : other;
  return kSuccess;
}
int cuGetErrorString(int error, const char** text) {
  return cuGetErrorName(error, text);
}

// As the driver's, it gives the newest function of a name: `cuX_v2` before `cuX`.
int cuGetProcAddress_v2(const char* name, void** function, int, uint64_t, int* status) {
  for (const char* suffix : {"_v2", ""}) {
    std::string symbol = std::string(name) + suffix;
    void* self = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    if ((*function = dlsym(self, symbol.c_str()))) break;
  }
  if (status) *status = *function ? 0 : 1;
  return *function ? kSuccess : kNotFound;
}
int cuGetProcAddress(const char* name, void** function, int version, uint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}
int cuGetExportTable(const void**, const void*) { return kNotFound; }

}  // extern "C"
