//! What the tests of `redis` need of a package that is not published.

use proc_macro::{TokenStream, TokenTree};

/// Makes a test of an async function. If it takes a connection, that is one to a server of its own.
#[proc_macro_attribute]
pub fn async_test(_: TokenStream, item: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = item.into_iter().collect();
    let text = |part: &[TokenTree]| part.iter().cloned().collect::<TokenStream>().to_string();
    let start = tokens.iter().position(|token| token.to_string() == "async").expect("an async function");
    // `async` `fn` name (parameters) -> output {body}
    let (attributes, name, parameters) = (text(&tokens[..start]), &tokens[start + 2], &tokens[start + 3]);
    let (output, body) = (text(&tokens[start + 4..tokens.len() - 1]), &tokens[tokens.len() - 1]);
    let TokenTree::Group(group) = parameters else { panic!("it has parameters") };
    let (server, argument) = if group.stream().is_empty() {
        ("", "")
    } else {
        ("let context = crate::support::TestContext::new();", "context.async_connection().await.unwrap()")
    };
    let test = format!(
        "{attributes} #[test] fn {name}() {output} {{
            async fn inner{parameters} {output} {body}
            {server}
            let runtime = crate::support::RuntimeType::Tokio;
            crate::support::block_on_all(async {{ inner({argument}).await }}, runtime)
        }}"
    );
    test.parse().expect("it is Rust")
}
