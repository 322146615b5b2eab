#include "timeline.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace simulated {
namespace {

struct Settings {
#define X(name, value) double name = value;
  SIMULATED_SETTINGS(X)
#undef X
};

struct Counters {
#define X(name) double name = 0;
  SIMULATED_COUNTERS(X)
#undef X
};

struct Device {
  Counters counters;
  double free_at_s = 0;      // when the queue is done
  double last_launch_s = 0;  // when the host issued the last launch, or had waited
  double worked_s = 0;       // busy seconds since the process started
  std::deque<double> pending_s;  // when each launch that is queued will be done
  bool used = false, lost = false, hung = false;
  std::set<std::string> loaded;
};

std::mutex mutex;  // of all below; autograd launches from a thread of its own
Settings settings;
std::array<Device, kMostDevices> devices;
constexpr double kLate = 10;      // launches
constexpr double kSpin_s = 1e-3;  // sleeping is not more exact on a busy machine

Device& at(int device) { return devices.at(device); }

bool throttled(const Device& device) {
  return settings.throttle_after_s > 0 &&
         device.worked_s > settings.throttle_after_s;
}

// Queue work behind what is queued already; the lock is held.
void queue(Device& device, double seconds) {
  auto& pending_s = device.pending_s;
  while (!pending_s.empty() && pending_s.front() <= now_s()) pending_s.pop_front();
  device.free_at_s = std::max(device.free_at_s, now_s()) + seconds;
  pending_s.push_back(device.free_at_s);
  device.counters.busy_s += seconds;
  device.worked_s += seconds;
}

// When the queue has room for one more launch; the lock is held.
double room_at_s(const Device& device) {
  auto depth = static_cast<size_t>(settings.queue_depth), n = device.pending_s.size();
  return n < depth ? 0 : device.pending_s[n - depth];
}

// What every use of a device begins with: its context, and whether it answers.
void use(int index) {
  double ready_s = 0;
  {
    std::lock_guard lock(mutex);
    Device& device = at(index);
    TORCH_CHECK(!device.lost, "simulated accelerator error: device lost");
    if (!device.used) ready_s = now_s() + settings.first_use_s;
    device.used = true;
  }
  wait_until(ready_s);
}

double transfer_s(double bytes, bool pinned) {
  double rate = pinned ? settings.pinned_bytes_per_s : settings.pageable_bytes_per_s;
  return settings.transfer_s + (rate > 0 ? bytes / rate : 0);
}

}  // namespace

double now_s() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void wait_until(double when_s) {
  double left_s = when_s - now_s();
  if (left_s > kSpin_s)
    std::this_thread::sleep_for(std::chrono::duration<double>(left_s - kSpin_s));
  while (now_s() < when_s) {
  }
}

double setting(const std::string& name) {
#define X(known, value) \
  if (name == #known) return settings.known;
  SIMULATED_SETTINGS(X)
#undef X
  return std::nan("");
}

bool set(const std::string& name, double value) {
  std::lock_guard lock(mutex);
#define X(known, unused) \
  if (name == #known) { settings.known = value; return true; }
  SIMULATED_SETTINGS(X)
#undef X
  return false;
}

double counter(int device, const std::string& name) {
  std::lock_guard lock(mutex);
#define X(known) \
  if (name == #known) return at(device).counters.known;
  SIMULATED_COUNTERS(X)
#undef X
  return std::nan("");
}

void reset_counters(int device) {
  std::lock_guard lock(mutex);
  double live_bytes = at(device).counters.live_bytes;
  at(device).counters = Counters();
  at(device).counters.live_bytes = at(device).counters.peak_bytes = live_bytes;
}

void start_anew(int index) {
  std::lock_guard lock(mutex);
  Device device;
  device.counters.live_bytes = at(index).counters.live_bytes;
  device.counters.peak_bytes = device.counters.live_bytes;
  at(index) = device;
}

double done_at_s(int device) {
  std::lock_guard lock(mutex);
  return std::max(at(device).free_at_s, now_s());
}

double pending_s(int device) { return std::max(0.0, done_at_s(device) - now_s()); }

double clock_share(int device) {
  std::lock_guard lock(mutex);
  if (at(device).free_at_s <= now_s()) return settings.idle_share;
  return throttled(at(device)) ? 1 / settings.throttle_factor : 1;
}

bool faulty(int device, Fault fault, int64_t rows) {
  bool here = settings.fault_device < 0 || settings.fault_device == device;
  bool now = settings.fault_rows == 0 || settings.fault_rows == rows;
  return here && now && static_cast<Fault>(settings.fault) == fault;
}

void launch(int index, const std::string& name, int64_t rows, double bytes,
            double multiply_adds) {
  use(index);
  double loaded_s = 0;
  {
    std::lock_guard lock(mutex);
    Device& device = at(index);
    if (device.loaded.insert(name).second && settings.first_launch_s > 0)
      loaded_s = now_s() + settings.first_launch_s;
    loaded_s = std::max({loaded_s, device.last_launch_s + settings.launch_s,
                         room_at_s(device)});
  }
  wait_until(loaded_s);
  std::lock_guard lock(mutex);
  Device& device = at(index);
  // A host that was late catches up: what counts is its pace over some launches.
  device.last_launch_s = std::max(device.last_launch_s + settings.launch_s,
                                  now_s() - kLate * settings.launch_s);
  device.counters.launches += 1;
  double kernel_s = settings.kernel_s;
  if (settings.bytes_per_s > 0) kernel_s += bytes / settings.bytes_per_s;
  if (settings.multiply_adds_per_s > 0)
    kernel_s += multiply_adds / settings.multiply_adds_per_s;
  queue(device, kernel_s * (throttled(device) ? settings.throttle_factor : 1));
  if (faulty(index, Fault::kAbort, rows)) std::abort();
  device.hung = device.hung || faulty(index, Fault::kHang, rows);
  device.lost = device.lost || faulty(index, Fault::kLost, rows);
}

void occupy(int device, double seconds) {
  use(device);
  std::lock_guard lock(mutex);
  at(device).counters.launches += 1;
  queue(at(device), seconds);
}

void copy(int device, Direction way, double bytes, bool pinned) {
  use(device);
  std::lock_guard lock(mutex);
  Counters& c = at(device).counters;
  (way == kFromHost ? c.host_to_device : c.device_to_host) += 1;
  (way == kFromHost ? c.host_to_device_bytes : c.device_to_host_bytes) += bytes;
  queue(at(device), transfer_s(bytes, pinned));
}

void copy_between(int source, int target, double bytes) {
  use(source);
  use(target);
  std::lock_guard lock(mutex);
  double start_s = std::max(at(source).free_at_s, at(target).free_at_s);
  for (int device : {source, target}) {
    at(device).free_at_s = start_s;
    at(device).counters.device_to_device += 1;
    queue(at(device), transfer_s(bytes, true));
  }
}

void wait_for_queue(int index) {
  double done_s;
  {
    std::lock_guard lock(mutex);
    at(index).counters.synchronisations += 1;
    done_s = at(index).free_at_s;
    while (at(index).hung) {  // forever, as a kernel that never ends
      mutex.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      mutex.lock();
    }
  }
  wait_until(done_s);
  std::lock_guard lock(mutex);  // the host's pace starts anew
  at(index).last_launch_s = std::max(at(index).last_launch_s, now_s());
}

void synchronize(int device) {
  use(device);
  wait_for_queue(device);
  std::lock_guard lock(mutex);
  TORCH_CHECK(!at(device).lost, "simulated accelerator error: device lost");
}

void allocate(int index, int64_t bytes) {
  use(index);
  std::lock_guard lock(mutex);
  Counters& counters = at(index).counters;
  double live_bytes = counters.live_bytes + static_cast<double>(bytes);
  TORCH_CHECK_WITH(
      OutOfMemoryError, live_bytes <= settings.memory_bytes,
      "Simulated accelerator out of memory. Tried to allocate ", bytes,
      " bytes on device ", index, ", which has ",
      settings.memory_bytes - counters.live_bytes, " bytes free");
  counters.allocations += 1;
  counters.live_bytes = live_bytes;
  counters.peak_bytes = std::max(counters.peak_bytes, live_bytes);
}

void release(int device, int64_t bytes) noexcept {
  std::lock_guard lock(mutex);
  devices[device].counters.live_bytes -= static_cast<double>(bytes);
}

}  // namespace simulated
