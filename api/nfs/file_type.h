// Types of files on the wire: nfs_ftype4 (RFC 7531), whose first seven are ftype3 (RFC 1813).
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "storage/ns/file_system.h"

namespace outcrop::nfs {

/// By wire number, from 1.
inline constexpr std::array kFileTypes{
    ns::FileType::regular,      ns::FileType::directory,
    ns::FileType::block_device, ns::FileType::character_device,
    ns::FileType::symlink,      ns::FileType::socket,
    ns::FileType::fifo,
};

constexpr std::uint32_t to_wire(ns::FileType type) {
  std::uint32_t number = 1;
  for (const ns::FileType known : kFileTypes) {
    if (known == type) {
      break;
    }
    ++number;
  }
  return number;
}

/// Empty: no such type, or one that is not made by clients (named attributes).
constexpr std::optional<ns::FileType> file_type(std::uint32_t number) {
  if (number == 0 || number > kFileTypes.size()) {
    return std::nullopt;
  }
  return kFileTypes[number - 1];
}

}  // namespace outcrop::nfs
