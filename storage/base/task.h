// Task<T>: a coroutine that runs on one worker's io_context and gives a Result<T>.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/base/result.h"

namespace outcrop {

namespace asio = boost::asio;

/// The concrete executor, not any_io_executor: the type-erased one costs 3 us per request.
using Executor = asio::io_context::executor_type;

template <class T = void>
using Async = asio::awaitable<T, Executor>;
template <class T = void>
using Task = Async<Result<T>>;

/// Completion token for Asio operations inside an Async or Task.
inline constexpr asio::use_awaitable_t<Executor> use_async{};

}  // namespace outcrop
