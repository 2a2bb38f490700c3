;; The start function of a component made by hand, in which the host's functions are there before it runs, changes the
;; context, before there is a grant. The call traps.
(import "theus:process/context@0.1.0" (instance $context
  (export "remove" (func (param "path" string) (result bool)))))
(core module $memory
  (memory (export "memory") 1)
  (data (i32.const 0) "domain.data.plain"))
(core instance $memory (instantiate $memory))
(core func $remove (canon lower (func $context "remove") (memory (core memory $memory "memory"))))
(core module $guest
  (import "host" "remove" (func $remove (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (start $begin)
  (func $begin (drop (call $remove (i32.const 0) (i32.const 17))))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
  (func (export "run") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
(core instance $main (instantiate $guest (with "host" (instance (export "remove" (func $remove))))))
