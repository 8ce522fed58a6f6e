/* The benchmark's job, written by hand for one vector width: what a simulator of exactly this circuit could do in C.
 *
 * 64 trials at a time, one bit of a word and one lane each. Lanes are worked on in strips of four vectors, so that what a
 * neuron receives stays in registers: one strip with AVX-512, two with AVX2. Spikes are kept in rows of words, input channels
 * before neurons; a synapse is a weight and how many words back its source's word lies.
 *
 * cc -O3 -mavx512f -mfma or cc -O3 -mavx2 -mfma */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { TRIALS = 64, VECTORS = 4 };

#ifdef __AVX512F__
enum { LANES = 16 };
typedef __m512 reals;
typedef __mmask16 lanes;
#define constant(x) _mm512_set1_ps(x)
#define from(p) _mm512_load_ps(p)
#define to(p, x) _mm512_store_ps(p, x)
#define times(a, b) _mm512_mul_ps(a, b)
#define times_plus(a, b, c) _mm512_fmadd_ps(a, b, c)
#define reaches(v, threshold) _mm512_cmp_ps_mask(v, threshold, _CMP_GE_OQ)
#define word_of(m) ((uint64_t)(m))
#define where(m, a, b) _mm512_mask_blend_ps(m, b, a)
#define add_where(m, a, w) _mm512_mask_add_ps(a, m, a, w)
#define spread(strip) (strip)
typedef uint64_t strip_word;
static inline lanes lanes_of(strip_word strip, int k) { return (lanes)(strip >> (LANES * k)); }
#else
enum { LANES = 8 };
typedef __m256 reals;
typedef __m256 lanes;
#define constant(x) _mm256_set1_ps(x)
#define from(p) _mm256_load_ps(p)
#define to(p, x) _mm256_store_ps(p, x)
#define times(a, b) _mm256_mul_ps(a, b)
#define times_plus(a, b, c) _mm256_fmadd_ps(a, b, c)
#define reaches(v, threshold) _mm256_cmp_ps(v, threshold, _CMP_GE_OQ)
#define word_of(m) ((uint64_t)(uint32_t)_mm256_movemask_ps(m))
#define where(m, a, b) _mm256_blendv_ps(b, a, m)
#define add_where(m, a, w) _mm256_add_ps(a, _mm256_and_ps(m, w))
#define spread(strip) _mm256_set1_epi32((int)(strip))
typedef __m256i strip_word;
static inline lanes lanes_of(strip_word strip, int k)
{
    const __m256i bit = _mm256_slli_epi32(_mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128), 8 * k);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(strip, bit), bit));
}
#endif

enum { STRIP = LANES * VECTORS, STRIPS = TRIALS / STRIP };

typedef struct {
    float decay_v, decay_e, decay_i, e_to_v, i_to_v, threshold, reset;
    int32_t refractory, excitatory, inhibitory; /* steps; how many of its synapses are excitatory, and how many inhibitory */
} neuron;

typedef struct {
    float weight; /* negative for inhibitory ones */
    int32_t back; /* words from the neuron's row to that of the source's spike */
} synapse;

static inline void decay(float *current, float factor, reals now[VECTORS])
{
    for (int k = 0; k < VECTORS; k++)
        now[k] = times(constant(factor), from(current + LANES * k));
}

static inline void arrive(const synapse *s, int count, const uint64_t *row, int strip, reals now[VECTORS])
{
    for (; count--; s++) {
        const strip_word spikes = spread(row[-s->back] >> (STRIP * strip));
        const reals weight = constant(s->weight);
        for (int k = 0; k < VECTORS; k++)
            now[k] = add_where(lanes_of(spikes, k), now[k], weight);
    }
}

/* state: three reals a trial for each neuron, in this order: V, I_e, I_i; 64-byte aligned. held: a word for each neuron.
 * rows: `history` rows without spikes, then one for each step, whose input columns are filled; the neurons' are written. */
void simulate(long neurons, long channels, long steps, long history, const neuron *table, const synapse *synapses,
              float *state, uint64_t *held, uint64_t *rows)
{
    const long width = channels + neurons;
    memset(state, 0, sizeof(float) * neurons * 3 * TRIALS);
    memset(held, 0, sizeof(uint64_t) * neurons);
    for (long t = 0; t < steps; t++) {
        uint64_t *row = rows + (history + t) * width;
        const synapse *next = synapses;
        for (long n = 0; n < neurons; n++) {
            const neuron *p = table + n;
            const uint64_t resting = held[n] & ~row[channels + n - (p->refractory + 1) * width];
            uint64_t fired = 0;
            for (int strip = 0; strip < STRIPS; strip++) {
                float *v = state + n * 3 * TRIALS + STRIP * strip, *e = v + TRIALS, *i = e + TRIALS;
                const strip_word rests = spread(resting >> (STRIP * strip));
                reals now[VECTORS];
                for (int k = 0; k < VECTORS; k++) {
                    const lanes rest = lanes_of(rests, k);
                    reals x = times(constant(p->i_to_v), from(i + LANES * k));
                    x = times_plus(constant(p->e_to_v), from(e + LANES * k), x);
                    x = times_plus(constant(p->decay_v), from(v + LANES * k), x);
                    const lanes high = reaches(x, constant(p->threshold));
                    fired |= word_of(high) << (STRIP * strip + LANES * k);
                    to(v + LANES * k, where(rest, constant(p->reset), where(high, constant(p->reset), x)));
                }
                decay(e, p->decay_e, now);
                arrive(next, p->excitatory, row, strip, now);
                for (int k = 0; k < VECTORS; k++)
                    to(e + LANES * k, now[k]);
                decay(i, p->decay_i, now);
                arrive(next + p->excitatory, p->inhibitory, row, strip, now);
                for (int k = 0; k < VECTORS; k++)
                    to(i + LANES * k, now[k]);
            }
            fired &= ~resting;
            held[n] = resting | fired;
            row[channels + n] = fired;
            next += p->excitatory + p->inhibitory;
        }
    }
}
