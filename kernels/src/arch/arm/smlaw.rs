//! Products of 32 and 16 bits on cores with DSP instructions, which the compiler is not told of for Armv8-M.
#![expect(unsafe_code, reason = "an instruction")]

macro_rules! smlaw {
    ($name:ident, $half:literal) => {
        #[doc = concat!("`floor(multiplier * x / 2^16) + sum`, of which 32 bits are kept, where x is the ", $half)]
        /// half of `word`.
        #[inline(always)]
        pub(crate) fn $name(multiplier: i32, word: i32, sum: i32) -> i32 {
            let result;
            // SAFETY: it reads three registers and writes one, and the flag of an overflow, which nothing asks for.
            unsafe {
                core::arch::asm!(
                    concat!(".cpu ", env!("THUMBNET_CPU")),
                    concat!(stringify!($name), " {}, {}, {}, {}"),
                    out(reg) result,
                    in(reg) multiplier,
                    in(reg) word,
                    in(reg) sum,
                    options(pure, nomem, nostack)
                );
            }
            result
        }
    };
}

smlaw!(smlawb, "lower");
smlaw!(smlawt, "upper");
