// What runs on the device: memory and views here, all arithmetic by torch's CPU kernels.
// Device memory is host memory, so results are the CPU's bit for bit.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_copy_from.h>
#include <ATen/ops/_local_scalar_dense_cpu_dispatch.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <map>
#include <set>

#include "device.h"
#include "timeline.h"

namespace simulated {
namespace {

using at::Tensor;
constexpr auto kDevice = c10::DeviceType::PrivateUse1;
const c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);
// Copies that cpu_fallback makes are no copies of the program's.
thread_local bool in_fallback = false;

// The same bytes as a CPU tensor.
Tensor on_host(const Tensor& t) {
  if (!t.is_privateuseone()) return t;
  auto options = at::TensorOptions().dtype(t.dtype()).device(at::kCPU);
  return at::from_blob(t.data_ptr(), t.sizes(), t.strides(), options);
}

c10::Device asked(std::optional<c10::Device> device) {
  c10::DeviceIndex index = device && device->has_index() ? device->index()
                                                         : current_device();
  return {kDevice, index};
}

Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
             std::optional<at::Layout>, std::optional<c10::Device> device,
             std::optional<bool>, std::optional<at::MemoryFormat> format) {
  c10::DeviceGuard guard(asked(device));
  auto type = dtype.value_or(at::typeMetaToScalarType(at::get_default_dtype()));
  return at::detail::empty_generic(size, memory(), kKeys, type, format);
}

Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                     std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                     std::optional<c10::Device> device, std::optional<bool>) {
  c10::DeviceGuard guard(asked(device));
  auto type = dtype.value_or(at::typeMetaToScalarType(at::get_default_dtype()));
  return at::detail::empty_strided_generic(size, stride, memory(), kKeys, type);
}

// Queue a copy; return whether the host waits for it.
bool queue_copy(const Tensor& from, const Tensor& to, bool non_blocking) {
  if (in_fallback || from.numel() == 0) return false;
  auto bytes = static_cast<double>(from.nbytes());
  bool both = from.is_privateuseone() && to.is_privateuseone();
  if (both && from.device() == to.device()) {
    int64_t rows = from.dim() ? from.size(0) : 0;
    launch(to.device().index(), "copy_", rows, 2 * bytes, 0);
  } else if (both) {
    copy_between(from.device().index(), to.device().index(), bytes);
  } else if (to.is_privateuseone()) {
    bool pinned = is_pinned(from.storage().data());
    copy(to.device().index(), kFromHost, bytes, pinned);
    return !(pinned && non_blocking);
  } else {
    bool pinned = is_pinned(to.storage().data());
    copy(from.device().index(), kToHost, bytes, pinned);
    return !(pinned && non_blocking);
  }
  return false;
}

Tensor copy_from(const Tensor& self, const Tensor& dst, bool non_blocking) {
  bool waits = queue_copy(self, dst, non_blocking);
  on_host(dst).copy_(on_host(self));  // within the time that the copy is said to take
  if (waits) wait_for_queue((self.is_privateuseone() ? self : dst).device().index());
  return dst;
}

Tensor copy_from_and_resize(const Tensor& self, const Tensor& dst) {
  if (dst.sizes() != self.sizes()) dst.resize_(self.sizes());
  return copy_from(self, dst, false);
}

void read_scalar(int device) {
  copy(device, kToHost, 8, false);
  wait_for_queue(device);
}

at::Scalar local_scalar_dense(const Tensor& self) {
  if (!in_fallback) read_scalar(self.device().index());
  return on_host(self).item();
}

const Tensor& resize(const Tensor& self, at::IntArrayRef size,
                     std::optional<at::MemoryFormat>) {
  c10::DeviceGuard guard(self.device());
  at::native::resize_impl_cpu_(self.unsafeGetTensorImpl(), size, std::nullopt);
  return self;
}

// Call `each` with every tensor of an argument.
template <typename F>
void tensors_in(const c10::IValue& value, const F& each) {
  if (value.isTensor() && value.toTensor().defined()) each(value.toTensor());
  if (value.isTensorList())
    for (const Tensor& t : value.toTensorVector()) each(t);
  if (value.isOptionalTensorList())
    for (const std::optional<Tensor>& t : value.toOptionalTensorVector())
      if (t && t->defined()) each(*t);
}

struct Operands {
  std::optional<c10::Device> device;
  double bytes = 0;
  int64_t rows = 0;
  std::vector<Tensor> from_host;

  void add(const Tensor& t, const std::string& name) {
    bytes += static_cast<double>(t.nbytes());
    if (!t.is_privateuseone()) return from_host.push_back(t);
    if (t.dim() && rows != setting("fault_rows")) rows = t.size(0);
    TORCH_CHECK(!device || *device == t.device(), refusal(name, t.device()));
    device = t.device();
  }
  std::string refusal(const std::string& name, c10::Device other) const {
    return c10::str("Expected all tensors to be on the same device, but found at "
                    "least two devices, ", *device, " and ", other, "! (in ", name, ")");
  }
};

// CUDA lets a CPU tensor without dimensions take part, and CPU indices, which it moves.
void check_host_operands(const Operands& operands, const std::string& name) {
  bool indexing = name.rfind("aten::index", 0) == 0 ||
                  name.rfind("aten::_index_put", 0) == 0;
  indexing = indexing && name.find("index_select") == std::string::npos;
  for (const Tensor& t : operands.from_host) {
    if (t.dim() == 0 && t.numel() == 1) continue;
    TORCH_CHECK(indexing && (t.scalar_type() == at::kLong || t.scalar_type() == at::kBool),
                operands.refusal(name, t.device()));
    copy(operands.device->index(), kFromHost, double(t.nbytes()), false);
    wait_for_queue(operands.device->index());
  }
}

// How many rows there are in the result is known only when it is there.
const std::set<std::string> kWaits = {"aten::nonzero", "aten::masked_select",
                                      "aten::_unique2", "aten::unique_consecutive"};

// Where the first of a product's two matrices stands among its arguments.
const std::map<std::string, size_t> kProducts = {
    {"aten::mm", 0}, {"aten::addmm", 1}, {"aten::addmm_", 1}};

// What tensor cores read of a float32 number: ten bits behind the leading one.
Tensor rounded_to_tf32(const Tensor& t) {
  if (t.scalar_type() != at::kFloat) return t;
  Tensor here = on_host(t).clone(at::MemoryFormat::Contiguous);
  Tensor bits = here.view(at::kInt);
  bits.add_(bits.bitwise_right_shift(13).bitwise_and_(1)).add_(0xFFF);
  bits.bitwise_and_(~0x1FFF);
  Tensor there = at::empty_strided(t.sizes(), t.strides(), t.options());
  on_host(there).copy_(here);
  return there;
}

// A product's multiply-adds; its matrices are replaced by what the device reads.
double read_product(int device, c10::IValue* matrices, int64_t rows) {
  const Tensor a = matrices[0].toTensor(), b = matrices[1].toTensor();
  if (faulty(device, Fault::kTf32, rows)) {
    matrices[0] = rounded_to_tf32(a);
    matrices[1] = rounded_to_tf32(b);
  }
  return double(a.size(0)) * double(a.size(1)) * double(b.size(1));
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string& name = op.schema().name();
  size_t taken = op.schema().arguments().size(), first = stack->size() - taken;
  Operands operands;
  for (size_t i = first; i < stack->size(); ++i) {
    tensors_in((*stack)[i], [&](const Tensor& t) { operands.add(t, name); });
    if ((*stack)[i].isGenerator())
      (*stack)[i] = host_generator((*stack)[i].toGenerator());
  }
  c10::DeviceGuard guard(operands.device.value_or(asked(std::nullopt)));
  int device = current_device();
  if (operands.device) check_host_operands(operands, name);
  auto product = kProducts.find(name);
  double multiply_adds = 0;
  if (product != kProducts.end())
    multiply_adds = read_product(device, &(*stack)[first + product->second], operands.rows);
  if (!in_fallback) launch(device, name, operands.rows, operands.bytes, multiply_adds);
  if (multiply_adds > 0 && setting("skip_products") > 0 &&
      op.schema().overload_name() == "out") {
    Tensor out = stack->back().toTensor();
    torch::jit::drop(*stack, taken);
    return stack->push_back(out);
  }
  bool outer = std::exchange(in_fallback, true);
  try {
    at::native::cpu_fallback(op, stack);
    if (faulty(device, Fault::kWrong, operands.rows) && kProducts.count(name))
      tensors_in(stack->back(), [](const Tensor& t) { on_host(t).mul_(1.01); });
  } catch (...) {
    in_fallback = outer;
    throw;
  }
  in_fallback = outer;
  bool read = !stack->empty() && !op.schema().returns().empty() &&
              !stack->back().isTensor() && !stack->back().isTensorList();
  if (!outer && (read || kWaits.count(name))) read_scalar(device);
}

// A copy on the device of what was computed on the host.
Tensor there(const Tensor& here, c10::Device device) {
  Tensor copied = at::empty(here.sizes(), here.options().device(device));
  on_host(copied).copy_(here);
  return copied;
}

Tensor on_host_or_zeros(const std::optional<Tensor>& t, const Tensor& like) {
  return t && t->defined() ? on_host(*t) : at::zeros_like(like);
}

void launch_cell(const char* name, const Tensor& cx, const Tensor& gates) {
  double bytes = 3.0 * double(cx.nbytes()) + 2.0 * double(gates.nbytes());
  launch(cx.device().index(), name, cx.size(0), bytes, 0);
}

// torch asks this kind of device for the cell of an LSTM, for which the CPU has no kernel.
std::tuple<Tensor, Tensor, Tensor> lstm_cell(const Tensor& input, const Tensor& hidden,
                                             const Tensor& cx,
                                             const std::optional<Tensor>& input_bias,
                                             const std::optional<Tensor>& hidden_bias) {
  launch_cell("_thnn_fused_lstm_cell", cx, input);
  Tensor sum = on_host(input) + on_host(hidden);
  for (const auto& bias : {input_bias, hidden_bias})
    if (bias && bias->defined()) sum = sum + on_host(*bias);
  auto parts = sum.chunk(4, 1);
  Tensor i = parts[0].sigmoid(), f = parts[1].sigmoid(), g = parts[2].tanh(),
         o = parts[3].sigmoid();
  Tensor cy = f * on_host(cx) + i * g;
  return {there(o * cy.tanh(), cx.device()), there(cy, cx.device()),
          there(at::cat({i, f, g, o}, 1), cx.device())};
}

std::tuple<Tensor, Tensor, Tensor> lstm_cell_backward(
    const std::optional<Tensor>& grad_hy, const std::optional<Tensor>& grad_cy,
    const Tensor& cx, const Tensor& cy, const Tensor& workspace, bool has_bias) {
  launch_cell("_thnn_fused_lstm_cell_backward_impl", cx, workspace);
  auto parts = on_host(workspace).chunk(4, 1);
  Tensor i = parts[0], f = parts[1], g = parts[2], o = parts[3];
  Tensor tanh_cy = on_host(cy).tanh(), dh = on_host_or_zeros(grad_hy, tanh_cy);
  Tensor dc = dh * o * (1 - tanh_cy * tanh_cy) + on_host_or_zeros(grad_cy, tanh_cy);
  Tensor gates = at::cat({dc * g * i * (1 - i), dc * on_host(cx) * f * (1 - f),
                          dc * i * (1 - g * g), dh * tanh_cy * o * (1 - o)}, 1);
  Tensor bias = has_bias ? there(gates.sum(0), cx.device()) : Tensor();
  return {there(gates, cx.device()), there(dc * f, cx.device()), bias};
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_thnn_fused_lstm_cell", lstm_cell);
  m.impl("_thnn_fused_lstm_cell_backward_impl", lstm_cell_backward);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("_local_scalar_dense", local_scalar_dense);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("resize_", resize);
}

}  // namespace
}  // namespace simulated

TORCH_LIBRARY(simulated_accelerator, m) {  // may raise, so that it is an operator
  m.def("occupy(int device, float seconds) -> ()",
        [](int64_t device, double seconds) { simulated::occupy(int(device), seconds); });
}

// What Python calls, by ctypes. Not a number is an unknown name.
extern "C" {
bool simulated_set(const char* name, double value) { return simulated::set(name, value); }
double simulated_setting(const char* name) { return simulated::setting(name); }
double simulated_counter(int device, const char* name) {
  return simulated::counter(device, name);
}
void simulated_reset(int device) { simulated::reset_counters(device); }
void simulated_start_anew(int device) { simulated::start_anew(device); }
double simulated_pending(int device) { return simulated::pending_s(device); }
double simulated_clock_share(int device) { return simulated::clock_share(device); }
}
