// What this processor and its operating system can run.
#pragma once

namespace ridgeline {

bool processor_has_avx2();    // AVX2, FMA and F16C
bool processor_has_avx512();  // AVX-512 F, BW, VL, DQ, VNNI and BF16, and the above

}  // namespace ridgeline
