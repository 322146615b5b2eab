// What makes torch know the device: its memory, its current device and streams, its
// random generators, and the hooks behind torch.accelerator.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cstdlib>
#include <mutex>
#include <unordered_set>

#include "device.h"
#include "timeline.h"

namespace simulated {
namespace {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;
constexpr size_t kAlignment = 64;
thread_local c10::DeviceIndex current = 0;

void* aligned(size_t bytes) {
  return std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
}

struct Block {
  void* data;
  int64_t bytes;
  int device;
};

void free_block(void* context) {
  auto* block = static_cast<Block*>(context);
  release(block->device, block->bytes);
  std::free(block->data);
  delete block;
}

struct DeviceMemory final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t n) override {
    c10::Device device(kDevice, current);
    if (n == 0) return {nullptr, device};
    auto bytes = static_cast<int64_t>(n);
    simulated::allocate(current, bytes);
    auto* block = new Block{aligned(n), bytes, current};
    return {block->data, block, free_block, device};
  }
  void copy_data(void* target, const void* source, std::size_t n) const override {
    default_copy_data(target, source, n);
  }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex device) override { reset_counters(device); }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(
      c10::DeviceIndex device) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    stats.allocated_bytes[0].current = int64_t(counter(device, "live_bytes"));
    stats.allocated_bytes[0].peak = int64_t(counter(device, "peak_bytes"));
    return stats;
  }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex device) override {
    auto total = static_cast<size_t>(setting("memory_bytes"));
    return {total - static_cast<size_t>(counter(device, "live_bytes")), total};
  }
};

std::mutex pinned_mutex;
std::unordered_set<const void*> pinned;

void free_pinned(void* data) {
  std::lock_guard lock(pinned_mutex);
  pinned.erase(data);
  std::free(data);
}

struct PinnedMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void* data = aligned(n);
    std::lock_guard lock(pinned_mutex);
    pinned.insert(data);
    return {data, data, free_pinned, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return free_pinned; }
  void copy_data(void* target, const void* source, std::size_t n) const override {
    default_copy_data(target, source, n);
  }
};

DeviceMemory device_memory;
PinnedMemory pinned_memory;

double* as_event(void* event) { return static_cast<double*>(event); }

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kDevice; }
  c10::Device getDevice() const override { return {kDevice, current}; }
  c10::Device exchangeDevice(c10::Device device) const override {
    c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  void setDevice(c10::Device device) const override {
    TORCH_CHECK(device.index() < deviceCount(), "invalid device ordinal");
    uncheckedSetDevice(device);
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override {
    if (device.index() >= 0) current = device.index();
  }
  c10::DeviceIndex deviceCount() const noexcept override { return device_count(); }
  // One queue a device: every stream is the same.
  c10::Stream getStream(c10::Device device) const override {
    return c10::Stream(c10::Stream::DEFAULT, device);
  }
  c10::Stream getDefaultStream(c10::Device device) const override {
    return getStream(device);
  }
  c10::Stream getNewStream(c10::Device device, int) const override {
    return getStream(device);
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override {
    return getStream(device);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    return getStream(stream.device());
  }
  bool queryStream(const c10::Stream& stream) const override {
    return pending_s(stream.device_index()) <= 0;
  }
  void synchronizeStream(const c10::Stream& stream) const override {
    simulated::synchronize(stream.device_index());
  }
  void synchronizeDevice(c10::DeviceIndex device) const override {
    simulated::synchronize(device);
  }
  // An event is the second at which what is queued at its recording is done.
  void record(void** event, const c10::Stream& stream, c10::DeviceIndex,
              c10::EventFlag) const override {
    if (*event == nullptr) *event = new double;
    *as_event(*event) = done_at_s(stream.device_index());
  }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void* event) const override {
    return event == nullptr || *as_event(event) <= now_s();
  }
  void synchronizeEvent(void* event) const override {
    if (event != nullptr) wait_until(*as_event(event));
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    delete as_event(event);
  }
  double elapsedTime(void* start, void* end, c10::DeviceIndex) const override {
    return 1e3 * (*as_event(end) - *as_event(start));
  }
};

struct DeviceGenerator final : c10::GeneratorImpl {
  explicit DeviceGenerator(c10::DeviceIndex index)
      : GeneratorImpl({kDevice, index < 0 ? current : index},
                      c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)),
        host(at::detail::createCPUGenerator()) {}
  void set_current_seed(uint64_t seed) override { host.set_current_seed(seed); }
  uint64_t current_seed() const override { return host.current_seed(); }
  uint64_t seed() override { return host.seed(); }
  void set_offset(uint64_t offset) override { host.set_offset(offset); }
  uint64_t get_offset() const override { return host.get_offset(); }
  void set_state(const c10::TensorImpl& state) override {
    host.unsafeGetGeneratorImpl()->set_state(state);
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return host.unsafeGetGeneratorImpl()->get_state();
  }
  DeviceGenerator* clone_impl() const override {
    auto* copy = new DeviceGenerator(device().index());
    copy->host = host.clone();
    return copy;
  }
  at::Generator host;
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return device_count() > 0; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return device_count(); }
  c10::DeviceIndex getCurrentDevice() const override { return current; }
  void setCurrentDevice(c10::DeviceIndex device) const override {
    Guard().setDevice({kDevice, device});
  }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex device) const override {
    return Guard().exchangeDevice({kDevice, device}).index();
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex device) const override {
    return exchangeDevice(device);
  }
  bool isPinnedPtr(const void* data) const override {
    std::lock_guard lock(pinned_mutex);
    return pinned.count(data) > 0;
  }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_memory; }
  at::Device getDeviceFromPtr(void*) const override { return {kDevice, current}; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex index) const override {
    static std::array<at::Generator, kMostDevices> generators;
    auto& generator = generators.at(index < 0 ? current : index);
    if (!generator.defined()) generator = getNewGenerator(index);
    return generator;
  }
  at::Generator getNewGenerator(c10::DeviceIndex index) const override {
    return at::make_generator<DeviceGenerator>(index);
  }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)
REGISTER_ALLOCATOR(kDevice, &device_memory)
const bool registered = [] {
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  return true;
}();

}  // namespace

c10::DeviceIndex device_count() {
  return static_cast<c10::DeviceIndex>(setting("devices"));
}

c10::DeviceIndex current_device() { return current; }

c10::Allocator* memory() { return &device_memory; }

bool is_pinned(const void* data) { return Hooks().isPinnedPtr(data); }

at::Generator host_generator(const at::Generator& generator) {
  auto* device = dynamic_cast<DeviceGenerator*>(generator.unsafeGetGeneratorImpl());
  return device ? device->host : generator;
}

}  // namespace simulated
