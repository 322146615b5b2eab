// The algorithm of softmax_core/trainers/fused/columns.py in C++, for 2 features and
// 3 classes: what a compiler that is given everything at compile time makes of it.
// Built and called by bench/promises/fused.py:
//   g++ -O3 -march=native -ffast-math -shared -fPIC
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

constexpr int F = 2, C = 3;  // features, classes
constexpr int ROWS = F + 1;  // rows of the weights; the last one is the bias
constexpr long BLOCK = 1024;

// The C library's exp, which GCC may vectorise, or the trainer's own.
template <bool OWN>
inline float exp_of(float x) {
  if (!OWN) return std::exp(x);
  x = x > -44.0f ? x : -44.0f;
  const float n = __builtin_rintf(x * 1.4426950408889634f);
  float r = x - n * 0.693145751953125f;
  r = r - n * 1.428606765330187e-06f;
  float p = 0.001381457949701486f * r + 0.008368724364244902f;
  p = p * r + 0.04166838882441125f;
  p = p * r + 0.16666520568962843f;
  p = p * r + 0.4999999344341009f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  int32_t bits;
  std::memcpy(&bits, &p, 4);
  bits += static_cast<int32_t>(n) << 23;
  std::memcpy(&p, &bits, 4);
  return p >= 0x1p-63f ? p : 0.0f;
}

inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (z ^ (z >> 31)) >> 32;
}

void deal(float* x, long stride, uint64_t start, uint64_t stop, uint64_t samples,
          uint64_t& state) {
  uint64_t counter = state;
  for (uint64_t i = start; i < stop; i++) {
    const uint64_t limit = samples - i;
    uint64_t product = mixed(counter += 0x9E3779B97F4A7C15u) * limit;
    if ((product & 0xFFFFFFFFu) < limit) {
      const uint64_t least = (0x100000000u - limit) % limit;
      while ((product & 0xFFFFFFFFu) < least)
        product = mixed(counter += 0x9E3779B97F4A7C15u) * limit;
    }
    const uint64_t j = i + (product >> 32);
    for (int d = 0; d < ROWS; d++) std::swap(x[d * stride + i], x[d * stride + j]);
  }
  state = counter;
}

struct Weights {
  float w[ROWS][C], u[ROWS][C];
};

// Written out: GCC 12 vectorises the sums only as separate variables.
template <bool OWN, bool MASKED>
inline __attribute__((always_inline)) void sums(const float* __restrict x, long stride,
                                                const float* __restrict mask,
                                                long count, const Weights& of,
                                                float (&g)[ROWS][C - 1]) {
  const float *x0 = x, *x1 = x + stride, *label = x + 2 * stride;
  const auto& w = of.w;
  const float a0 = w[0][0], a1 = w[0][1], a2 = w[0][2];
  const float b0 = w[1][0], b1 = w[1][1], b2 = w[1][2];
  const float c0 = w[2][0], c1 = w[2][1], c2 = w[2][2];
  float ga0 = 0, ga1 = 0, gb0 = 0, gb1 = 0, gc0 = 0, gc1 = 0;
  for (long s = 0; s < count; s++) {
    const float one = MASKED ? mask[s] : 1.0f, p = x0[s], q = x1[s], y = label[s];
    const float z0 = c0 + a0 * p + b0 * q;
    const float z1 = c1 + a1 * p + b1 * q;
    const float z2 = c2 + a2 * p + b2 * q;
    const float top = std::max(std::max(z0, z1), z2);
    const float e0 = exp_of<OWN>(z0 - top), e1 = exp_of<OWN>(z1 - top);
    const float e2 = exp_of<OWN>(z2 - top), share = one / (e0 + e1 + e2);
    const float off0 = e0 * share - (y == 0.0f ? one : 0.0f);
    const float off1 = e1 * share - (y == 1.0f ? one : 0.0f);
    ga0 += off0 * p, gb0 += off0 * q, gc0 += off0;
    ga1 += off1 * p, gb1 += off1 * q, gc1 += off1;
  }
  g[0][0] += ga0, g[0][1] += ga1, g[1][0] += gb0;
  g[1][1] += gb1, g[2][0] += gc0, g[2][1] += gc1;
}

inline void update(Weights& of, const float (&g)[ROWS][C - 1], float rate, float m) {
  for (int d = 0; d < ROWS; d++) {
    const float each[C] = {g[d][0], g[d][1], -(g[d][0] + g[d][1])};
    for (int k = 0; k < C; k++) {
      const float kept = m * of.u[d][k];
      of.u[d][k] = kept + rate * each[k];
      of.w[d][k] = (of.w[d][k] - kept) - rate * each[k];
    }
  }
}

template <bool OWN>
void train(float* x, long stride, long samples, const float* mask, long batch,
           Weights& weights, float lr, float m, uint64_t& state, bool shuffled,
           long epochs) {
  Weights of = weights;
  const long width = (batch + 7) / 8 * 8, block = std::max(1L, BLOCK / 4 / batch);
  const float rate = lr / batch;
  for (long e = 0; e < epochs; e++)
    for (long start = 0; start < samples;) {
      if (batch > BLOCK) {
        float g[ROWS][C - 1] = {};
        for (long a = start; a < start + batch; a += BLOCK) {
          const long stop = std::min(a + BLOCK, start + batch);
          if (shuffled) deal(x, stride, a, stop, samples, state);
          sums<OWN, false>(x + a, stride, mask, stop - a, of, g);
        }
        update(of, g, rate, m);
        start += batch;
        continue;
      }
      const long count = std::min(block, (samples - start) / batch);
      if (shuffled) deal(x, stride, start, start + count * batch, samples, state);
      for (long b = 0; b < count; b++, start += batch) {
        float g[ROWS][C - 1] = {};
        if (width == 8)
          sums<OWN, true>(x + start, stride, mask, 8, of, g);
        else if (width == 16)
          sums<OWN, true>(x + start, stride, mask, 16, of, g);
        else
          sums<OWN, true>(x + start, stride, mask, width, of, g);
        update(of, g, rate, m);
      }
    }
  weights = of;
}

}  // namespace

// x (3, stride): features and class numbers, `samples` of them a multiple of `batch`.
extern "C" void train_softmax(float* x, long stride, long samples, const float* mask,
                              long batch, float* weights, float lr, float m,
                              uint64_t* state, int shuffled, long epochs, int own) {
  Weights& of = *reinterpret_cast<Weights*>(weights);
  const auto run = own ? train<true> : train<false>;
  run(x, stride, samples, mask, batch, of, lr, m, *state, shuffled, epochs);
}
