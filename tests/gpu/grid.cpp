// Runs a kernel's grid on the CPU, x86-64 only: every thread of the grid is a fiber that
// runs to its next barrier, one at a time. The order of threads and blocks is shuffled
// after every barrier. A block's shared memory ends at a page that cannot be touched,
// begins behind one, and is full of NaN at first.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr size_t kStack = 64 << 10, kPage = 4096;
constexpr unsigned char kNaN = 0xff;  // in every byte

enum class At { kReady, kBlockBarrier, kGridBarrier, kEnd };
enum Fault { kNone, kGridBarrierOfTheBlock, kNoBlockBarrier };

struct Fiber {
  void* stack_pointer;
  At at;
};

// A block's shared memory: [page][slack][bytes][page], the slack shorter than a page.
struct Shared {
  char* pages;
  size_t whole, bytes;
  char* start() const { return pages + kPage + whole - bytes; }
};

struct Grid {
  int blocks, threads;
  unsigned shared_bytes;
  Fault fault;
  std::vector<Fiber> fibers;
  std::vector<Shared> shared;
  std::mt19937_64 random;
} grid;

int now;          // the fiber that runs
void* scheduler;  // its stack pointer
void (*kernel)(void**);
void** arguments;
sigjmp_buf outside;

extern "C" void switch_stack(void** from, void* to);
asm(R"(
.text
switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");

void wait(At at) {
  grid.fibers[now].at = at;
  switch_stack(&grid.fibers[now].stack_pointer, scheduler);
}

void run_fiber() {
  kernel(arguments);
  wait(At::kEnd);
  abort();  // a fiber that has ended never runs again
}

void* new_stack(char* lowest) {
  auto top = reinterpret_cast<void**>(lowest + kStack - 64);
  *--top = nullptr;  // so that the stack is aligned as after a call
  *--top = reinterpret_cast<void*>(run_fiber);
  for (int saved = 0; saved < 6; saved++) *--top = nullptr;
  return top;
}

Shared new_shared(size_t bytes) {
  bytes = (bytes + 7) / 8 * 8;
  size_t whole = (bytes + kPage - 1) / kPage * kPage;
  void* at = mmap(nullptr, whole + 2 * kPage, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto pages = static_cast<char*>(at);
  memset(pages, kNaN, whole + 2 * kPage);
  mprotect(pages, kPage, PROT_NONE);
  mprotect(pages + kPage + whole, kPage, PROT_NONE);
  return {pages, whole, bytes};
}

bool is_slack_untouched(const Shared& memory) {
  return std::all_of(memory.pages + kPage, memory.start(),
                     [](char byte) { return byte == char(kNaN); });
}

// Run a block's threads to their next barrier, and return which; kReady if they differ.
At run_block(int block) {
  std::vector<int> order(grid.threads);
  for (int i = 0; i < grid.threads; i++) order[i] = block * grid.threads + i;
  std::shuffle(order.begin(), order.end(), grid.random);
  for (int fiber : order) {
    now = fiber;
    switch_stack(&scheduler, grid.fibers[now].stack_pointer);
  }
  At first = grid.fibers[order[0]].at;
  for (int fiber : order)
    if (grid.fibers[fiber].at != first) return At::kReady;
  return first;
}

// Run all blocks to a barrier of the grid or the end, the blocks interleaved.
const char* run_to_grid_barrier(At* reached) {
  std::vector<int> running(grid.blocks);
  for (int i = 0; i < grid.blocks; i++) running[i] = i;
  int ended = 0;
  while (!running.empty()) {
    std::swap(running[grid.random() % running.size()], running.back());
    At at = run_block(running.back());
    if (at == At::kReady) return "threads of a block wait at different barriers";
    if (at == At::kEnd) ended++;
    if (at != At::kBlockBarrier) running.pop_back();
  }
  *reached = ended ? At::kEnd : At::kGridBarrier;
  if (ended && ended < grid.blocks) return "blocks wait at different barriers";
  return nullptr;
}

const char* run(int64_t* grid_barriers) {
  *grid_barriers = 0;
  for (At at = At::kReady; at != At::kEnd; *grid_barriers += at == At::kGridBarrier)
    if (const char* error = run_to_grid_barrier(&at)) return error;
  for (const Shared& memory : grid.shared)
    if (!is_slack_untouched(memory)) return "a block writes below its shared memory";
  return nullptr;
}

void outside_memory(int) { siglongjmp(outside, 1); }

// Run, with a signal's way out for a thread that touches a page it must not.
const char* run_guarded(int64_t* grid_barriers) {
  static char signal_stack[64 << 10];
  stack_t own{}, before{};
  own.ss_sp = signal_stack;
  own.ss_size = sizeof signal_stack;
  sigaltstack(&own, &before);
  struct sigaction ours{}, segv, bus;
  ours.sa_handler = outside_memory;
  ours.sa_flags = SA_ONSTACK;
  sigaction(SIGSEGV, &ours, &segv);
  sigaction(SIGBUS, &ours, &bus);
  const char* error = "a thread touches memory outside its block's shared memory";
  if (!sigsetjmp(outside, 1)) error = run(grid_barriers);
  sigaction(SIGSEGV, &segv, nullptr);
  sigaction(SIGBUS, &bus, nullptr);
  sigaltstack(&before, nullptr);
  return error;
}

}  // namespace

extern "C" {

// What a kernel calls:
int grid_thread() { return now % grid.threads; }
int grid_block() { return now / grid.threads; }
int grid_zero() { return 0; }
char* grid_shared() { return grid.shared[grid_block()].start(); }
int grid_shared_bytes() { return grid.shared_bytes; }
void grid_block_barrier() {
  if (grid.fault != kNoBlockBarrier) wait(At::kBlockBarrier);
}
int64_t grid_handle(int) { return 1; }
int grid_barrier(int64_t, int) {
  bool weak = grid.fault == kGridBarrierOfTheBlock;
  wait(weak ? At::kBlockBarrier : At::kGridBarrier);
  return 0;
}

// Run a grid; return what is wrong, nullptr if nothing. `body` takes the addresses of
// the kernel's arguments, and `grid_barriers` is how often the grid waited.
const char* grid_run(void (*body)(void**), void** packed, int blocks, int threads,
                     unsigned shared_bytes, uint64_t seed, int fault,
                     int64_t* grid_barriers) {
  kernel = body;
  arguments = packed;
  size_t count = size_t(blocks) * threads;
  void* at = mmap(nullptr, count * kStack, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return "no memory for the stacks of a grid";
  grid = {blocks, threads, shared_bytes, Fault(fault), {}, {}, std::mt19937_64(seed)};
  for (size_t i = 0; i < count; i++)
    grid.fibers.push_back({new_stack(static_cast<char*>(at) + i * kStack), At::kReady});
  for (int i = 0; i < blocks; i++) grid.shared.push_back(new_shared(shared_bytes));
  const char* error = run_guarded(grid_barriers);
  munmap(at, count * kStack);
  for (Shared& memory : grid.shared) munmap(memory.pages, memory.whole + 2 * kPage);
  return error;
}

}  // extern "C"
