// What a matrix product does with a sum before it is stored. Needs: params, activation.
float epilogue(uint act, float sum, float bias, float other)
{
    const float value = activate(act, has_bias == 1 ? sum + bias : sum);
    return combine == 1 ? value + other : combine == 2 ? value * other : value;
}
