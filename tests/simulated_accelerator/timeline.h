// The device's clock, costs and faults: what a launch, a copy and a wait cost, and who
// counts them. Times are seconds of the machine's steady clock. No torch tensors here.
#pragma once
#include <cstdint>
#include <string>

namespace simulated {

constexpr int kMostDevices = 8;

// Each is one double, so that Python sets all of them by name.
#define SIMULATED_SETTINGS(X) \
  X(devices, 1)             /* how many there are */ \
  X(memory_bytes, 1 << 30)  /* of one device */ \
  X(launch_s, 0)            /* of the host, its own work for the launch included */ \
  X(kernel_s, 0)            /* every kernel keeps its device busy so long */ \
  X(bytes_per_s, 0)         /* and longer by its operands' bytes; 0: no limit */ \
  X(multiply_adds_per_s, 0) /* a product of matrices longer by its own; 0: no limit */ \
  X(skip_products, 0)       /* 1: those into `out=` cost time and are not computed */ \
  X(queue_depth, 1024)      /* launches pending at most, as of a driver; then a wait */ \
  X(idle_share, 1)          /* of the highest clock while nothing is queued */ \
  X(transfer_s, 0)          /* latency of every copy from or to the host */ \
  X(pageable_bytes_per_s, 0) /* 0: no limit */ \
  X(pinned_bytes_per_s, 0)  /* 0: no limit */ \
  X(first_use_s, 0)         /* the device's context, once a process */ \
  X(first_launch_s, 0)      /* loading a kernel, once for each operator */ \
  X(throttle_after_s, 0)    /* busy seconds after which clocks fall; 0: never */ \
  X(throttle_factor, 2)     /* by which kernels then take longer */ \
  X(fault, 0)               /* a Fault */ \
  X(fault_rows, 0)          /* only kernels with such an operand; 0: all */ \
  X(fault_device, -1)       /* only there; -1: everywhere */

#define SIMULATED_COUNTERS(X) \
  X(launches) X(host_to_device) X(host_to_device_bytes) X(device_to_host) \
  X(device_to_host_bytes) X(device_to_device) X(synchronisations) X(live_bytes) \
  X(peak_bytes) X(allocations) X(busy_s)

enum Direction { kFromHost, kToHost };
enum class Fault { kNone, kWrong, kHang, kLost, kAbort, kTf32 };

double setting(const std::string& name);
bool set(const std::string& name, double value);
double counter(int device, const std::string& name);
void reset_counters(int device);  // live bytes stay, the peak starts from them

void start_anew(int device);         // as in a new process, but for its memory

double now_s();
double pending_s(int device);    // queued work not yet done
double clock_share(int device);  // of the highest clock
bool faulty(int device, Fault fault, int64_t rows);

void launch(int device, const std::string& name, int64_t rows, double bytes,
            double multiply_adds);
void occupy(int device, double seconds);  // a kernel of known length
void copy(int device, Direction way, double bytes, bool pinned);  // queue it
void wait_for_queue(int device);
void copy_between(int source, int target, double bytes);
void synchronize(int device);
double done_at_s(int device);  // when all that is queued now will be done
void wait_until(double when_s);

void allocate(int device, int64_t bytes);  // throws c10::OutOfMemoryError
void release(int device, int64_t bytes) noexcept;

}  // namespace simulated
