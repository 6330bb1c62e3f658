// Writes a model down: declares its weights and what it reads of a batch. `for (auto layer : b.layers(n))` names the weights of
// a layer "layers.I.NAME". A model function says nothing of files, kernels, caches or batches.
#pragma once
#include "program/program.h"

namespace ridgeline {

class Builder;

// A weight by name. The op that uses it knows its shape and declares it: linear(x, layer("q"), 512) is [512, columns of x].
struct Weight {
  Builder& builder;
  std::string name;
  Expr operator()(Shape shape) const;
};

class Builder {
 public:
  // matrices: the type of weight matrices. Vectors (norm weights, biases) are f32 in every program: they are read once an op.
  Builder(std::string name, DType matrices) : matrices_(matrices) { program_.name = std::move(name); }

  Expr weight(const std::string& name, Shape shape) {
    DType t = shape.size() == 2 ? matrices_ : DType::f32;
    return {&program_, program_.declare(name, {t, std::move(shape), Role::weight}, Program::Origin::weight)};
  }
  Weight weight(const std::string& name) { return {*this, name}; }

  // What every model reads of a batch.
  // Token ids; the position of each token in its sequence; per sequence its new and its cached tokens.
  Expr tokens() { return index("tokens", {Symbol::tokens}); }
  Expr positions() { return index("positions", {Symbol::tokens}); }
  Expr sequences() { return index("sequences", {Symbol::sequences, Dim(2)}); }

  struct Layer {
    Builder& builder;
    int number;
    Weight operator()(const std::string& name) const { return {builder, fmt::format("layers.{}.{}", number, name)}; }
  };
  struct Layers {
    Builder& builder;
    int count;
    struct Iterator {
      Builder& builder;
      int i;
      Layer operator*() const { return builder.program_.layer = i, Layer{builder, i}; }
      void operator++() { ++i, builder.program_.layer = -1; }
      bool operator!=(const Iterator& o) const { return i != o.i; }
    };
    Iterator begin() const { return {builder, 0}; }
    Iterator end() const { return {builder, count}; }
  };
  Layers layers(int count) { return {*this, count}; }

  Program finish(const std::string& name, Expr result) {
    program_.outputs.push_back({name, named(name, result)});
    return std::move(program_);
  }

 private:
  Expr index(const std::string& name, Shape shape) {
    Value found = program_.find(name);
    return {
        &program_,
        found ? found : program_.declare(name, {DType::i32, std::move(shape), Role::index}, Program::Origin::input)};
  }
  Program program_;
  DType matrices_;
};

inline Expr Weight::operator()(Shape shape) const { return builder.weight(name, std::move(shape)); }

}  // namespace ridgeline
