use theus_host::*;
fn main() {
    let built = theus_host::build::Build::new("guests/warehouse").run().unwrap();
    let engine = Engine::builder().context(context_from_json(r#"{"global":{"max_capacity":500},"domain":{"items":[],"total_value":0,"sig_restock_needed":false}}"#).unwrap()).build().unwrap();
    println!("{:?}", engine.register(built.wasm, Policy::as_declared()).unwrap());
    let r = engine.run("add_product", args!{"product_name"=>"TV","price"=>500}).unwrap();
    println!("{}", serde_json::to_string_pretty(&r).unwrap());
    println!("{:?}", engine.run("add_product", args!{"product_name"=>"TV","price"=>-1}));
    println!("{:?}", engine.run("add_product", args!{"product_name"=>"TV"}));
    let n = 10000;
    for _ in 0..3 {
    let t = std::time::Instant::now();
    for _ in 0..n { let _ = engine.call(Call::new("add_product", args!{"product_name"=>"TV","price"=>500}).dry_run()); }
    println!("{} us/call", t.elapsed().as_micros() as f64 / n as f64);
    }
}
