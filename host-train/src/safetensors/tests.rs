use super::*;

thumbnet::sequential! {
    struct Net: [4, 4, 1] {
        edges: Conv2D { filters: 2, kernel_size: 3, padding: Same },
        shapes: Conv2D { filters: 3, kernel_size: (1, 2), use_bias: false },
        flat: Flatten,
        hidden: Dense { units: 5 },
        scores: Dense { units: 2, activation: Softmax },
    }
}

/// Weights that are all different.
fn weights() -> Vec<f32> {
    (0..Net::PARAMETERS).map(|i| i as f32 / 8.0).collect()
}

/// A file of tensors, each with a shape and its values.
fn file(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, v)| v.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes);
    let views =
        views.map(|((name, shape, _), data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// The tensors of the network, to be tampered with.
fn tensors() -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
    let weights = weights();
    let mut rest = weights.as_slice();
    [
        ("edges.kernel", vec![3, 3, 1, 2]),
        ("edges.bias", vec![2]),
        ("shapes.kernel", vec![1, 2, 2, 3]),
        ("hidden.kernel", vec![4 * 3 * 3, 5]),
        ("hidden.bias", vec![5]),
        ("scores.kernel", vec![5, 2]),
        ("scores.bias", vec![2]),
    ]
    .map(|(name, shape)| {
        let (values, after) = rest.split_at(shape.iter().product());
        rest = after;
        (name, shape, values.to_vec())
    })
    .into()
}

fn error(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> String {
    import::<Net>(&file(tensors)).unwrap_err().to_string()
}

#[test]
fn reads_own_names_and_kerass() {
    assert_eq!(import::<Net>(&file(&tensors())).unwrap(), weights());

    let names = [
        "conv2d.kernel",
        "conv2d.bias",
        "conv2d_1.kernel",
        "dense.kernel",
        "dense.bias",
        "dense_1.kernel",
        "dense_1.bias",
    ];
    let renamed: Vec<_> =
        tensors().into_iter().zip(names).map(|((_, shape, values), name)| (name, shape, values)).collect();
    assert_eq!(import::<Net>(&file(&renamed)).unwrap(), weights());
}

#[test]
fn exports_what_it_imports() {
    for names in [Names::Own, Names::Keras] {
        let bytes = export::<Net>(&weights(), names).unwrap();
        assert_eq!(import::<Net>(&bytes).unwrap(), weights());
    }
    let bytes = export::<Net>(&weights(), Names::Keras).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("conv2d_1.kernel").unwrap().shape(), [1, 2, 2, 3]);
    assert_eq!(file.len(), 7);
}

#[test]
fn names_the_tensor_that_is_wrong() {
    let mut missing = tensors();
    missing.remove(4);
    let text = error(&missing);
    assert!(text.starts_with("tensor `hidden.bias` is missing (f32, shape [5]); the file has edges.bias, "), "{text}");
    assert!(error(&[]).contains("tensor `edges.kernel` is missing"));

    let mut extra = tensors();
    extra.push(("shapes.bias", vec![3], vec![0.0; 3]));
    assert_eq!(error(&extra), "tensor `shapes.bias` belongs to no layer of Net");

    let mut transposed = tensors();
    transposed[5].1 = vec![2, 5];
    assert_eq!(error(&transposed), "tensor `scores.kernel` has shape [2, 5], must have [5, 2]");

    let mut infinite = tensors();
    infinite[1].2[1] = f32::INFINITY;
    assert_eq!(error(&infinite), "tensor `edges.bias` holds inf at position 1; weights must be finite");
}

#[test]
fn other_types_and_files_are_refused() {
    let data = [0; 36];
    let view = TensorView::new(Dtype::F16, vec![3, 3, 1, 2], &data).unwrap();
    let bytes = safetensors::serialize([("edges.kernel", view)], None).unwrap();
    assert_eq!(import::<Net>(&bytes).unwrap_err().to_string(), "tensor `edges.kernel` has dtype F16, must have F32");

    let bytes = file(&tensors());
    for len in [0, 7, 8, 100, bytes.len() - 1] {
        assert!(matches!(import::<Net>(&bytes[..len]), Err(ImportError::Format(_))), "{len}");
    }
}

#[test]
fn snake_case_is_kerass() {
    for (class, name) in [
        ("Conv2D", "conv2d"),
        ("Dense", "dense"),
        ("MaxPooling2D", "max_pooling2d"),
        ("DepthwiseConv2D", "depthwise_conv2d"),
        ("BatchNormalization", "batch_normalization"),
    ] {
        assert_eq!(snake_case(class), name);
    }
}
