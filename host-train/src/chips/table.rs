//! The microcontrollers that are known by name.

use super::{
    Chip,
    Core::{self, M0, M0Plus, M3, M4, M7, M33, M55, M85},
};

/// `flash` and `ram` in KiB.
const fn chip(name: &'static str, part: &'static str, core: Core, flash: usize, ram: usize) -> Chip {
    Chip { name, part, core, flash: flash * 1024, ram: ram * 1024 }
}

/// One part of each line, with the flash that stores programs and the RAM that lies in one piece at the address where
/// variables do; closely coupled memories elsewhere are left out. Of a line with several sizes it is a common one,
/// whose ordering code is said.
///
/// Source, where no other is named: the memory maps of the vendors' CMSIS packs, as probe-rs's target descriptions
/// (`probe-rs/targets/*.yaml`) hold them; banks that lie next to each other are added.
#[rustfmt::skip]
pub const CHIPS: &[Chip] = &[
    // Nordic Semiconductor.
    chip("nrf51822", "nRF51822-xxAA", M0, 256, 16),
    chip("nrf52805", "nRF52805", M4, 192, 24),
    chip("nrf52810", "nRF52810", M4, 192, 24),
    chip("nrf52811", "nRF52811", M4, 192, 24),
    chip("nrf52820", "nRF52820", M4, 256, 32),
    chip("nrf52832", "nRF52832-xxAA", M4, 512, 64),
    chip("nrf52833", "nRF52833", M4, 512, 128),
    chip("nrf52840", "nRF52840", M4, 1024, 256),
    chip("nrf5340", "nRF5340, application core", M33, 1024, 512),
    chip("nrf9160", "nRF9160", M33, 1024, 256),
    // Raspberry Pi: flash is beside the chip.
    chip("rp2040", "RP2040, with the Pico's flash", M0Plus, 2048, 264),
    chip("rp2350", "RP2350, with the Pico 2's flash", M33, 4096, 520),
    // STMicroelectronics.
    chip("stm32c031", "STM32C031x6", M0Plus, 32, 12),
    chip("stm32f030", "STM32F030x8", M0, 64, 8),
    chip("stm32f072", "STM32F072xB", M0, 128, 16),
    chip("stm32f103", "STM32F103x8", M3, 64, 20),
    chip("stm32f303", "STM32F303xC", M4, 256, 40),
    chip("stm32f401", "STM32F401xE", M4, 512, 96),
    chip("stm32f405", "STM32F405xG", M4, 1024, 128),
    chip("stm32f407", "STM32F407xG", M4, 1024, 128),
    chip("stm32f411", "STM32F411xE", M4, 512, 128),
    chip("stm32f412", "STM32F412xG", M4, 1024, 256),
    chip("stm32f429", "STM32F429xI", M4, 2048, 192),
    chip("stm32f446", "STM32F446xE", M4, 512, 128),
    chip("stm32f746", "STM32F746xG", M7, 1024, 320),
    chip("stm32f767", "STM32F767xI", M7, 2048, 512),
    chip("stm32g031", "STM32G031x8", M0Plus, 64, 8),
    chip("stm32g071", "STM32G071xB", M0Plus, 128, 36),
    chip("stm32g0b1", "STM32G0B1xE", M0Plus, 512, 144),
    chip("stm32g431", "STM32G431xB", M4, 128, 32),
    chip("stm32g474", "STM32G474xE", M4, 512, 128),
    chip("stm32h563", "STM32H563xI", M33, 2048, 640),
    chip("stm32h743", "STM32H743xI", M7, 2048, 512),
    chip("stm32h753", "STM32H753xI", M7, 2048, 512),
    chip("stm32h7a3", "STM32H7A3xI", M7, 2048, 1024),
    chip("stm32l053", "STM32L053x8", M0Plus, 64, 8),
    chip("stm32l072", "STM32L072xZ", M0Plus, 192, 20),
    chip("stm32l432", "STM32L432xC", M4, 256, 64),
    chip("stm32l476", "STM32L476xG", M4, 1024, 96),
    chip("stm32l4r5", "STM32L4R5xI", M4, 2048, 640),
    chip("stm32l552", "STM32L552xE", M33, 512, 256),
    // The STM32N657 has no flash at all: this is that of ST's board NUCLEO-N657X0-Q.
    chip("stm32n657", "STM32N657, with the Nucleo board's flash", M55, 64 * 1024, 3840),
    chip("stm32u575", "STM32U575xI", M33, 2048, 768),
    chip("stm32u5a5", "STM32U5A5xJ", M33, 4096, 2496),
    chip("stm32wb55", "STM32WB55xG", M4, 1024, 192),
    chip("stm32wba52", "STM32WBA52xG", M33, 1024, 128),
    chip("stm32wl55", "STM32WL55xC, CPU1", M4, 256, 64),
    // Microchip.
    chip("samd21", "ATSAMD21x18A", M0Plus, 256, 32),
    chip("samd51", "ATSAMD51x19A", M4, 512, 192),
    // NXP. The MIMXRT1062 has no flash: this is its evaluation kit's; its RAM is the half that no fuse takes away.
    chip("lpc55s69", "LPC55S69, core 0", M33, 630, 272),
    chip("mimxrt1062", "MIMXRT1062, with the kit's flash", M7, 8192, 512),
    // Analog Devices; source: Zephyr's page on the board max78000evkit.
    chip("max78000", "MAX78000", M4, 512, 128),
    // Ambiq; source: Zephyr's page on the board apollo3_evb.
    chip("apollo3", "Apollo3 Blue", M4, 1024, 384),
    // Silicon Labs.
    chip("efr32mg24", "EFR32MG24xxxxF1024", M33, 1024, 128),
    // Renesas.
    chip("ra4m1", "R7FA4M1AB", M4, 256, 32),
    chip("ra6m5", "R7FA6M5xH", M33, 2048, 512),
    chip("ra8m1", "R7FA8M1AH", M85, 2016, 896),
];
