#pragma once

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

#include "tests/distance/amx_model.hpp"

namespace diskann::distance::testing {

/// While one lives, a processor without AMX executes its instructions: it traps them, and what they say is done with a
/// model of the registers. So the code that was compiled is run, not what it was compiled from. One at a time, in one
/// thread. Any other instruction that the processor lacks ends the process, as it would without this.
class AmxTraps {
 public:
  /// Whether the processor does trap them.
  static bool possible() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & (1u << 24)) == 0;
  }

  AmxTraps() {
    current_ = this;
    struct sigaction action = {};
    action.sa_sigaction = &handle;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, &before_);
  }
  AmxTraps(const AmxTraps&) = delete;
  AmxTraps& operator=(const AmxTraps&) = delete;
  ~AmxTraps() {
    sigaction(SIGILL, &before_, nullptr);
    current_ = nullptr;
  }

  std::size_t executed() const { return executed_; }

 private:
  static void handle(int, siginfo_t*, void* context) {
    greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto* const code = reinterpret_cast<const std::uint8_t*>(registers[REG_RIP]);
    const std::size_t length = current_->execute(code, registers);
    if (length == 0) signal(SIGILL, SIG_DFL);  // and it comes again
    registers[REG_RIP] += static_cast<greg_t>(length);
    ++current_->executed_;
  }

  /// The length of the instruction, or 0 for one that AMX has not or the library does not use.
  std::size_t execute(const std::uint8_t* code, const greg_t* registers) {
    // A VEX prefix of three bytes, map 0F38, 128 bits, W 0. Registers from 8 on have their top bit there, inverted.
    if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x84) != 0) return 0;
    enum Prefix { kNone, k66, kF3, kF2 };
    const int prefix = code[2] & 3;
    const std::size_t third = ~(code[2] >> 3) & 15u;
    const std::uint8_t opcode = code[3], form = code[4];
    const std::size_t middle = (form >> 3) & 7u, low = form & 7u;
    if (form >= 0xC0) {  // between registers
      if (opcode == 0x49 && prefix == kNone && form == 0xC0) {
        model_.release();
      } else if (opcode == 0x49 && prefix == kF2 && low == 0) {
        model_.zero(middle);
      } else if (opcode == 0x5E && (prefix == kNone || prefix == kF2)) {
        model_.add_products(middle, low, third, prefix == kF2);
      } else {
        return 0;
      }
      return 5;
    }
    const Memory memory = decode(code, registers);
    if (opcode == 0x49 && prefix == kNone && middle == 0) {
      model_.configure(*reinterpret_cast<const AmxConfiguration*>(memory.base + memory.offset));
    } else if (opcode == 0x4B && prefix == kF2 && low == 4) {
      model_.load(middle, reinterpret_cast<const std::byte*>(memory.base), memory.offset);
    } else if (opcode == 0x4B && prefix == kF3 && low == 4) {
      model_.store(middle, reinterpret_cast<std::byte*>(memory.base), memory.offset);
    } else {
      return 0;
    }
    return memory.length;
  }

  struct Memory {
    std::uintptr_t base, offset;  // displacement and base; index, scaled: what tiles take as their stride
    std::size_t length;           // of the instruction
  };
  static Memory decode(const std::uint8_t* code, const greg_t* registers) {
    static constexpr int kRegisters[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                         REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    const auto value = [&](unsigned low, unsigned inverted_top) {
      const unsigned number = low + ((code[1] & inverted_top) == 0 ? 8u : 0u);
      return static_cast<std::uintptr_t>(registers[kRegisters[number]]);
    };
    const unsigned mode = code[4] >> 6, low = code[4] & 7u;
    Memory memory{0, 0, 5};
    unsigned base = low;
    if (low == 4) {
      const unsigned index = (code[5] >> 3) & 7u;
      base = code[5] & 7u;
      memory.length = 6;
      if (index != 4 || (code[1] & 0x40) == 0) memory.offset = value(index, 0x40) << (code[5] >> 6);
    }
    const std::uint8_t* const displacement = code + memory.length;
    const bool wide = mode == 2 || (mode == 0 && base == 5);
    if (mode == 1) {
      memory.base = static_cast<std::uintptr_t>(static_cast<std::int8_t>(*displacement));
      memory.length += 1;
    } else if (wide) {
      std::int32_t bytes;
      std::memcpy(&bytes, displacement, 4);
      memory.base = static_cast<std::uintptr_t>(bytes);
      memory.length += 4;
    }
    if (mode != 0 || base != 5) {
      memory.base += value(base, 0x20);
    } else if (low == 5) {
      memory.base += reinterpret_cast<std::uintptr_t>(code + memory.length);  // from the next instruction
    }
    return memory;
  }

  static inline AmxTraps* current_ = nullptr;
  AmxModel model_;
  std::size_t executed_ = 0;
  struct sigaction before_ = {};
};

}  // namespace diskann::distance::testing
