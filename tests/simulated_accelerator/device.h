// What the operators need of the device.
#pragma once
#include <ATen/core/Generator.h>
#include <c10/core/Allocator.h>
#include <c10/core/Device.h>

namespace simulated {

c10::DeviceIndex device_count();
c10::DeviceIndex current_device();
c10::Allocator* memory();  // of the current device
bool is_pinned(const void* data);  // the first byte of a page-locked allocation
at::Generator host_generator(const at::Generator& generator);

}  // namespace simulated
