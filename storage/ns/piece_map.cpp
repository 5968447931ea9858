#include "storage/ns/piece_map.h"

#include <algorithm>

namespace outcrop::ns {
namespace {

bool continues(const Piece& before, const Piece& after) {
  if (before.hole() || after.hole()) {
    return before.hole() && after.hole();
  }
  return before.extent == after.extent && before.skip + before.length == after.skip;
}

Piece part_of(const Piece& piece, std::uint64_t from, std::uint64_t length) {
  return piece.hole() ? make_hole(length) : Piece{piece.extent, piece.skip + from, length};
}

}  // namespace

std::uint64_t mapped_bytes(const Pieces& pieces) {
  std::uint64_t total = 0;
  for (const Piece& piece : pieces) {
    total += piece.length;
  }
  return total;
}

std::uint64_t data_bytes(const Pieces& pieces) {
  std::uint64_t total = 0;
  for (const Piece& piece : pieces) {
    total += piece.hole() ? 0 : piece.length;
  }
  return total;
}

void append_piece(Pieces& pieces, const Piece& piece) {
  if (piece.length == 0) {
    return;
  }
  if (pieces.empty() || !continues(pieces.back(), piece)) {
    pieces.push_back(piece);
  } else if (piece.hole()) {
    pieces.back() = make_hole(pieces.back().length + piece.length);
  } else {
    pieces.back().length += piece.length;
  }
}

std::optional<Piece> Splicer::take(std::uint64_t n) {
  if (x_index == x_base.size()) {
    return std::nullopt;
  }
  const Piece& piece = x_base[x_index];
  const Piece out = part_of(piece, x_used, std::min(n, piece.length - x_used));
  x_used += out.length;
  if (x_used == piece.length) {
    ++x_index;
    x_used = 0;
  }
  return out;
}

void Splicer::keep(std::uint64_t to) {
  while (x_at < to) {
    const Piece piece = take(to - x_at).value_or(make_hole(to - x_at));
    append_piece(x_out, piece);
    x_at += piece.length;
  }
}

void Splicer::put(const Piece& piece) {
  append_piece(x_out, piece);
  x_at += piece.length;
  for (std::uint64_t left = piece.length; left > 0;) {
    const auto covered = take(left);
    if (!covered) {
      break;
    }
    left -= covered->length;
  }
}

Pieces Splicer::finish() && {
  while (const auto piece = take(UINT64_MAX)) {
    append_piece(x_out, *piece);
  }
  return std::move(x_out);
}

Pieces slice_pieces(const Pieces& pieces, ByteRange range) {
  Pieces out;
  std::uint64_t start = 0;
  const std::uint64_t end = range.offset + range.length;
  for (const Piece& piece : pieces) {
    const std::uint64_t from = std::max(start, range.offset);
    const std::uint64_t to = std::min(start + piece.length, end);
    if (from < to) {
      append_piece(out, part_of(piece, from - start, to - from));
    }
    start += piece.length;
    if (start >= end) {
      break;
    }
  }
  return out;
}

Pieces replace_pieces(const Pieces& pieces, std::uint64_t offset, const Pieces& with) {
  Splicer splicer(pieces);
  splicer.keep(offset);
  for (const Piece& piece : with) {
    splicer.put(piece);
  }
  return std::move(splicer).finish();
}

Pieces punch_pieces(const Pieces& pieces, ByteRange range) {
  const std::uint64_t size = mapped_bytes(pieces);
  if (range.offset >= size) {
    return pieces;
  }
  Splicer splicer(pieces);
  splicer.keep(range.offset);
  splicer.put(make_hole(std::min(range.length, size - range.offset)));
  return std::move(splicer).finish();
}

Pieces resize_pieces(const Pieces& pieces, std::uint64_t size) {
  Splicer splicer(pieces);
  splicer.keep(size);
  return std::move(splicer).cut();
}

std::optional<std::uint64_t> find_data(const Pieces& pieces, std::uint64_t offset, bool data) {
  std::uint64_t start = 0;
  for (const Piece& piece : pieces) {
    const std::uint64_t end = start + piece.length;
    if (end > offset && piece.hole() != data) {
      return std::max(start, offset);
    }
    start = end;
  }
  return std::nullopt;
}

}  // namespace outcrop::ns
